//! Token counts: what was told, and what it means.
//!
//! A reading's input includes cached tokens and its output includes reasoning. A dialect says whether its counts do
//! ([`Includes`]); where that depends on a version that is not told, the counts decide. `c` is cached and newly cached tokens:
//!
//! 1. total = input + output + c, c > 0: the input excludes them (Bedrock's own total);
//! 2. total = input + output: the input includes them, unless c > input;
//! 3. c > input: the input excludes them, since a part is not larger than the whole;
//! 4. otherwise the input includes them.
//!
//! Contradictions end like this, whatever the dialect says: c > input, so the input excluded them; reasoning > output, so the
//! output excluded it; another part larger than its whole is dropped; a sum beyond [`MAX_TOKENS`] is dropped.

use llm_observatory_core::llm::TokenUsage;

use crate::seen::Seen;
use crate::slots::Slot::{self, *};
use crate::value::{MAX_TOKENS, sum};

/// Whether a count includes a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Includes {
    /// It does.
    Yes,
    /// The part is to be added.
    No,
    /// It depends on versions that are not told: the counts themselves decide, as the head of this file says.
    Unknown,
}

/// The counts that were told, before anybody asks what they mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) input: Option<i64>,
    pub(crate) output: Option<i64>,
    pub(crate) total: Option<i64>,
    pub(crate) cache_read: Option<i64>,
    pub(crate) cache_creation: Option<i64>,
    pub(crate) cache_creation_1h: Option<i64>,
    pub(crate) reasoning: Option<i64>,
    pub(crate) input_audio: Option<i64>,
    pub(crate) output_audio: Option<i64>,
    pub(crate) input_image: Option<i64>,
    pub(crate) output_image: Option<i64>,
}

const INPUT: &[Slot] = &[
    InputTokens,
    PromptTokens,
    LlmPrompt,
    VercelInputTokens,
    VercelPromptTokens,
    VercelEmbeddingTokens,
    DetailsInput,
];
const OUTPUT: &[Slot] = &[
    OutputTokens,
    CompletionTokens,
    LlmCompletion,
    VercelOutputTokens,
    VercelCompletionTokens,
    DetailsOutput,
];
const TOTAL: &[Slot] = &[TotalTokens, LlmTotal, LlmUsageTotal, VercelTotalTokens, OpenLitTotal];
const CACHE_READ: &[Slot] = &[
    CacheReadDotted,
    CacheReadInput,
    CacheRead,
    InputCached,
    LlmCacheRead,
    LlmCacheInput,
    VercelCacheReadTokens,
    VercelCachedInputTokens,
    DetailsCacheRead,
    DetailsCacheReadInput,
    DetailsCached,
    DetailsCachedContent,
    PromptDetailsCached,
    PromptDetailsCacheRead,
    ShortDetailsCacheRead,
];
const CACHE_CREATION: &[Slot] = &[
    CacheWriteDotted,
    CacheCreationDotted,
    CacheCreationInput,
    CacheWriteInput,
    CacheWrite,
    InputCacheCreation,
    LlmCacheWrite,
    VercelCacheWriteTokens,
    DetailsCacheWrite,
    DetailsCacheCreationInput,
    PromptDetailsCacheCreation,
    PromptDetailsCacheWrite,
    ShortDetailsCacheWrite,
];
const REASONING: &[Slot] = &[
    ReasoningDotted,
    LlmReasoning,
    VercelDetailsReasoningTokens,
    VercelReasoningTokens,
    Reasoning,
    LlmUsageReasoning,
    CompletionDetailsReasoning,
    ShortDetailsReasoning,
    DetailsReasoning,
    DetailsThoughts,
];

impl Counts {
    /// The counts in keys of any dialect, each from the first that holds one.
    pub(crate) fn told(seen: &Seen<'_>) -> Self {
        Self {
            input: seen.count(INPUT),
            output: seen.count(OUTPUT),
            total: seen.count(TOTAL),
            cache_read: seen.count(CACHE_READ),
            cache_creation: seen.count(CACHE_CREATION).or_else(|| {
                sum(&[seen.count(&[AnthropicCacheCreation5m]), seen.count(&[AnthropicCacheCreation1h])])
            }),
            cache_creation_1h: seen.count(&[AnthropicCacheCreation1h]),
            reasoning: seen.count(REASONING),
            input_audio: seen.count(&[AudioInput, LlmPromptAudio, DetailsInputAudio, PromptDetailsAudio]),
            output_audio: seen.count(&[
                AudioOutput,
                LlmCompletionAudio,
                DetailsOutputAudio,
                CompletionDetailsAudio,
            ]),
            input_image: seen.count(&[ImageInput]),
            output_image: seen.count(&[ImageOutput]),
        }
    }

    /// Takes from `other` what is not there yet.
    pub(crate) fn complete(&mut self, other: &Self) {
        *self = Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            total: self.total.or(other.total),
            cache_read: self.cache_read.or(other.cache_read),
            cache_creation: self.cache_creation.or(other.cache_creation),
            cache_creation_1h: self.cache_creation_1h.or(other.cache_creation_1h),
            reasoning: self.reasoning.or(other.reasoning),
            input_audio: self.input_audio.or(other.input_audio),
            output_audio: self.output_audio.or(other.output_audio),
            input_image: self.input_image.or(other.input_image),
            output_image: self.output_image.or(other.output_image),
        };
    }

    /// What the counts mean.
    pub(crate) fn repaired(mut self, input: Includes, output: Includes) -> TokenUsage {
        self.cache_creation_1h = self.cache_creation_1h.filter(|hour| Some(*hour) <= self.cache_creation);
        let usage = TokenUsage {
            input: self.whole_input(input),
            output: self.whole_output(output),
            cache_read: self.cache_read,
            cache_creation: self.cache_creation,
            cache_creation_1h: self.cache_creation_1h,
            reasoning: self.reasoning,
            input_audio: self.input_audio,
            output_audio: self.output_audio,
            input_image: self.input_image,
            output_image: self.output_image,
        };
        let input_parts = fits(usage.input, usage.input_audio, usage.input_image);
        let output_parts = fits(usage.output, usage.output_audio, usage.output_image);
        TokenUsage {
            input_audio: usage.input_audio.filter(|_| input_parts),
            input_image: usage.input_image.filter(|_| input_parts),
            output_audio: usage.output_audio.filter(|_| output_parts),
            output_image: usage.output_image.filter(|_| output_parts),
            ..usage
        }
    }

    fn whole_input(&self, includes: Includes) -> Option<i64> {
        let input = self.input?;
        let cached = self.cache_read.unwrap_or(0) + self.cache_creation.unwrap_or(0);
        let excluded = match includes {
            Includes::Yes => cached > input,
            Includes::No => true,
            Includes::Unknown => {
                let beside = self.total.zip(self.output).map(|(total, output)| total - output - input);
                cached > input || cached > 0 && beside == Some(cached)
            }
        };
        Some(if excluded { input + cached } else { input }).filter(|input| *input <= MAX_TOKENS)
    }

    fn whole_output(&self, includes: Includes) -> Option<i64> {
        let output = self.output?;
        let reasoning = self.reasoning.unwrap_or(0);
        let excluded = match includes {
            Includes::Yes => reasoning > output,
            Includes::No => true,
            Includes::Unknown => {
                let beside = self.total.zip(self.input).map(|(total, input)| total - input - output);
                reasoning > output || reasoning > 0 && beside == Some(reasoning)
            }
        };
        Some(if excluded { output + reasoning } else { output }).filter(|output| *output <= MAX_TOKENS)
    }
}

/// Whether audio and images fit into what they are parts of.
fn fits(whole: Option<i64>, audio: Option<i64>, image: Option<i64>) -> bool {
    whole.is_none_or(|whole| audio.unwrap_or(0) + image.unwrap_or(0) <= whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(input: i64, output: i64, read: i64, creation: i64) -> Counts {
        Counts {
            input: Some(input),
            output: Some(output),
            cache_read: Some(read),
            cache_creation: Some(creation),
            ..Counts::default()
        }
    }

    fn input(counts: Counts, includes: Includes) -> Option<i64> {
        counts.repaired(includes, Includes::Yes).input
    }

    #[test]
    fn input_includes_cached_tokens_whatever_was_meant() {
        assert_eq!(input(counts(100, 5, 60, 10), Includes::Yes), Some(100));
        assert_eq!(input(counts(30, 5, 20, 10), Includes::No), Some(60));
        assert_eq!(input(counts(30, 5, 60, 10), Includes::Yes), Some(100), "a part larger than the whole");
        let unknown =
            |total| input(Counts { total: Some(total), ..counts(100, 5, 60, 10) }, Includes::Unknown);
        assert_eq!(unknown(105), Some(100));
        assert_eq!(unknown(175), Some(170));
        assert_eq!(input(counts(100, 5, 60, 10), Includes::Unknown), Some(100), "no total");
        let bedrock = Counts { total: Some(35), ..counts(30, 5, 60, 0) };
        assert_eq!(input(bedrock, Includes::Unknown), Some(90), "a total that leaves out cached tokens");
    }

    #[test]
    fn output_includes_reasoning_whatever_was_meant() {
        let told = |output, reasoning, total| Counts {
            reasoning: Some(reasoning),
            total,
            ..counts(10, output, 0, 0)
        };
        let output = |counts: Counts, includes| counts.repaired(Includes::Yes, includes).output;
        assert_eq!(output(told(50, 20, None), Includes::Yes), Some(50));
        assert_eq!(output(told(50, 20, None), Includes::No), Some(70));
        assert_eq!(output(told(5, 20, None), Includes::Yes), Some(25));
        assert_eq!(output(told(50, 20, Some(80)), Includes::Unknown), Some(70), "Gemini's own total");
        assert_eq!(output(told(50, 20, Some(60)), Includes::Unknown), Some(50));
    }

    #[test]
    fn parts_that_do_not_fit_are_dropped() {
        let usage = Counts { input_audio: Some(90), input_image: Some(20), ..counts(100, 5, 0, 0) }
            .repaired(Includes::Yes, Includes::Yes);
        assert_eq!((usage.input_audio, usage.input_image), (None, None));
        let usage = Counts { cache_creation_1h: Some(20), ..counts(100, 5, 0, 10) }
            .repaired(Includes::Yes, Includes::Yes);
        assert_eq!((usage.cache_creation, usage.cache_creation_1h), (Some(10), None));
    }

    proptest! {
        #[test]
        fn a_part_is_never_larger_than_its_whole(
            told in prop::array::uniform11(prop::option::of(prop_oneof![0..200_i64, 0..=MAX_TOKENS])),
            includes in prop_oneof![Just(Includes::Yes), Just(Includes::No), Just(Includes::Unknown)],
        ) {
            let [input, output, total, cache_read, cache_creation, cache_creation_1h, reasoning, rest @ ..] = told;
            let [input_audio, output_audio, input_image, output_image] = rest;
            let usage = Counts {
                input, output, total, cache_read, cache_creation, cache_creation_1h, reasoning,
                input_audio, output_audio, input_image, output_image,
            }.repaired(includes, includes);
            let part = |part: Option<i64>| part.unwrap_or(0);
            if let Some(input) = usage.input {
                prop_assert!(part(usage.cache_read) + part(usage.cache_creation) <= input);
                prop_assert!(part(usage.input_audio) + part(usage.input_image) <= input);
            }
            if let Some(output) = usage.output {
                prop_assert!(part(usage.reasoning) <= output);
                prop_assert!(part(usage.output_audio) + part(usage.output_image) <= output);
            }
            prop_assert!(part(usage.cache_creation_1h) <= part(usage.cache_creation));
        }
    }
}
