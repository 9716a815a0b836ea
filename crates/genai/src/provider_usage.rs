//! Usage objects of providers' APIs, which some instrumentations pass on as they are.

use llm_observatory_core::attributes::Value;

use crate::json::at;
use crate::usage::Counts;
use crate::value::{self, sum};

/// The counts of a provider's usage object, its input with cached tokens and its output with reasoning; `None` if the map is
/// no usage object that is known here.
///
/// * OpenAI (chat, responses, embeddings): the whole, with details in maps of their own.
/// * Anthropic: `input_tokens` beside `cache_read_input_tokens` and `cache_creation_input_tokens`, which it excludes.
/// * Gemini: candidates exclude thoughts; the prompt includes cached content and excludes tool use.
/// * Bedrock's Converse: `inputTokens` excludes `cacheReadInputTokens` and `cacheWriteInputTokens`.
pub(crate) fn of_provider(map: &Value<'_>) -> Option<Counts> {
    let has = |key| at(map, &[key]).is_some();
    if has("promptTokenCount") || has("prompt_token_count") {
        return Some(gemini(map));
    }
    if has("inputTokens") || has("outputTokens") {
        return Some(bedrock(map));
    }
    let anthropic_parts = ["cache_creation", "cache_creation_input_tokens", "cache_read_input_tokens"];
    if has("prompt_tokens") || has("input_tokens_details") {
        return Some(openai(map));
    }
    if has("output_tokens_details") && !anthropic_parts.into_iter().any(has) {
        return Some(openai(map));
    }
    if has("input_tokens") || has("output_tokens") {
        return Some(anthropic(map));
    }
    None
}

/// The first count at one of these paths.
fn count(map: &Value<'_>, paths: &[&[&str]]) -> Option<i64> {
    paths.iter().find_map(|path| at(map, path).and_then(value::count))
}

fn openai(map: &Value<'_>) -> Counts {
    Counts {
        input: count(map, &[&["prompt_tokens"], &["input_tokens"]]),
        output: count(map, &[&["completion_tokens"], &["output_tokens"]]),
        total: count(map, &[&["total_tokens"]]),
        cache_read: count(
            map,
            &[
                &["prompt_tokens_details", "cached_tokens"],
                &["input_tokens_details", "cached_tokens"],
                &["cache_read_input_tokens"],
            ],
        ),
        cache_creation: count(
            map,
            &[
                &["prompt_tokens_details", "cache_write_tokens"],
                &["prompt_tokens_details", "cache_creation_tokens"],
                &["input_tokens_details", "cache_write_tokens"],
                &["cache_creation_input_tokens"],
            ],
        ),
        reasoning: count(
            map,
            &[
                &["completion_tokens_details", "reasoning_tokens"],
                &["output_tokens_details", "reasoning_tokens"],
            ],
        ),
        input_audio: count(
            map,
            &[&["prompt_tokens_details", "audio_tokens"], &["input_tokens_details", "audio_tokens"]],
        ),
        output_audio: count(
            map,
            &[&["completion_tokens_details", "audio_tokens"], &["output_tokens_details", "audio_tokens"]],
        ),
        input_image: count(
            map,
            &[&["prompt_tokens_details", "image_tokens"], &["input_tokens_details", "image_tokens"]],
        ),
        output_image: count(map, &[&["output_tokens_details", "image_tokens"]]),
        // LiteLLM's addition.
        cache_creation_1h: count(
            map,
            &[&["prompt_tokens_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"]],
        ),
    }
}

fn anthropic(map: &Value<'_>) -> Counts {
    let cache_read = count(map, &[&["cache_read_input_tokens"]]);
    let five_minutes = count(map, &[&["cache_creation", "ephemeral_5m_input_tokens"]]);
    let hour = count(map, &[&["cache_creation", "ephemeral_1h_input_tokens"]]);
    let cache_creation =
        count(map, &[&["cache_creation_input_tokens"]]).or_else(|| sum(&[five_minutes, hour]));
    let input = count(map, &[&["input_tokens"]]);
    Counts {
        input: input.and_then(|input| sum(&[Some(input), cache_read, cache_creation])),
        output: count(map, &[&["output_tokens"]]),
        cache_read,
        cache_creation,
        cache_creation_1h: hour,
        reasoning: count(map, &[&["output_tokens_details", "thinking_tokens"]]),
        ..Counts::default()
    }
}

fn gemini(map: &Value<'_>) -> Counts {
    let prompt = count(map, &[&["promptTokenCount"], &["prompt_token_count"]]);
    let tools = count(map, &[&["toolUsePromptTokenCount"], &["tool_use_prompt_token_count"]]);
    let candidates = count(map, &[&["candidatesTokenCount"], &["candidates_token_count"]]);
    let thoughts = count(map, &[&["thoughtsTokenCount"], &["thoughts_token_count"]]);
    Counts {
        input: sum(&[prompt, tools]),
        output: sum(&[candidates, thoughts]),
        cache_read: count(map, &[&["cachedContentTokenCount"], &["cached_content_token_count"]]),
        reasoning: thoughts,
        ..Counts::default()
    }
}

fn bedrock(map: &Value<'_>) -> Counts {
    let cache_read = count(map, &[&["cacheReadInputTokens"], &["cacheReadInputTokenCount"]]);
    let cache_creation = count(map, &[&["cacheWriteInputTokens"], &["cacheWriteInputTokenCount"]]);
    let input = count(map, &[&["inputTokens"]]);
    Counts {
        input: input.and_then(|input| sum(&[Some(input), cache_read, cache_creation])),
        output: count(map, &[&["outputTokens"]]),
        cache_read,
        cache_creation,
        ..Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Counts {
        of_provider(&crate::json::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn openai_counts_the_whole() {
        let counts = read(
            r#"{"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 20}}"#,
        );
        assert_eq!((counts.input, counts.output), (Some(100), Some(50)));
        assert_eq!((counts.cache_read, counts.reasoning, counts.input_audio), (Some(60), Some(20), Some(3)));
    }

    #[test]
    fn anthropic_counts_cached_tokens_beside_the_input() {
        let counts = read(
            r#"{"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 60,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}"#,
        );
        assert_eq!(counts.input, Some(100));
        assert_eq!((counts.cache_creation, counts.cache_creation_1h), (Some(30), Some(20)));
    }

    #[test]
    fn gemini_counts_thoughts_beside_the_output() {
        let counts = read(
            r#"{"promptTokenCount": 100, "candidatesTokenCount": 30, "thoughtsTokenCount": 12,
                "cachedContentTokenCount": 40, "toolUsePromptTokenCount": 5}"#,
        );
        assert_eq!((counts.input, counts.output, counts.reasoning), (Some(105), Some(42), Some(12)));
    }

    #[test]
    fn bedrock_counts_cached_tokens_beside_the_input() {
        let counts =
            read(r#"{"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 60, "totalTokens": 75}"#);
        assert_eq!((counts.input, counts.output, counts.cache_read), (Some(70), Some(5), Some(60)));
    }

    #[test]
    fn other_maps_are_no_usage() {
        assert_eq!(of_provider(&crate::json::parse(r#"{"input": 1}"#).unwrap()), None);
        assert_eq!(of_provider(&Value::Empty), None);
    }
}
