//! Names of providers and reasons to stop, as everybody writes them.

use serde_json::json;

use crate::span;

#[test]
fn providers_have_one_name() {
    for (canonical, aliases) in [
        ("openai", "openai OpenAI openai.chat openai.responses"),
        ("anthropic", "anthropic Anthropic anthropic.messages"),
        ("azure.ai.openai", "azure.ai.openai az.ai.openai azure-openai azure_openai azure"),
        ("azure.ai.inference", "azure.ai.inference az.ai.inference azure_ai"),
        (
            "gcp.vertex_ai",
            "gcp.vertex_ai vertex_ai vertexai google.vertex google-vertex vertex_ai-language-models",
        ),
        ("gcp.gemini", "gcp.gemini gemini google google.generative-ai google_genai GoogleAI"),
        ("gcp.gen_ai", "gcp.gen_ai"),
        ("aws.bedrock", "aws.bedrock bedrock bedrock_converse amazon-bedrock aws AWS"),
        ("mistral_ai", "mistral_ai mistral mistralai MistralAI"),
        ("x_ai", "x_ai xai"),
        ("moonshot_ai", "moonshot_ai moonshot"),
        ("ibm.watsonx.ai", "ibm.watsonx.ai watsonx ibm.watson.ai Watsonx"),
        ("cohere", "cohere Cohere cohere.chat"),
        ("groq", "groq Groq groq.chat"),
        ("deepseek", "deepseek DeepSeek"),
        ("perplexity", "perplexity Perplexity"),
        ("ollama", "ollama Ollama"),
        ("together_ai", "together together_ai"),
        ("fireworks_ai", "fireworks fireworks_ai"),
        ("hugging_face", "huggingface hugging_face"),
        ("openrouter", "openrouter OpenRouter"),
        ("replicate", "replicate"),
        ("cerebras", "cerebras"),
        ("aleph_alpha", "aleph_alpha"),
        ("vllm", "vLLM"),
        ("ai21", "ai21"),
        ("oci_genai", "oci_genai"),
        ("elevenlabs", "elevenlabs"),
    ] {
        for alias in aliases.split(' ') {
            for key in ["gen_ai.provider.name", "gen_ai.system", "llm.provider"] {
                span("", "chat x", json!({ "gen_ai.operation.name": "chat", key: alias }))
                    .tells(json!({ "provider": canonical, "framework": null }));
            }
        }
    }
}

#[test]
fn frameworks_are_no_providers() {
    for name in [
        "langchain",
        "langgraph",
        "llama_index",
        "haystack",
        "crewai",
        "strands-agents",
        "pydantic_ai",
        "google_adk",
        "openai_agents",
        "agent_framework",
        "spring_ai",
        "litellm",
        "semantic_kernel",
        "mem0",
        "browser_use",
        "smolagents",
        "mcp",
    ] {
        let told =
            span("", "chat x", json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": name }));
        told.tells(json!({ "provider": null, "framework": name }));
        told.with("gen_ai.request.model", json!("claude-sonnet-4-5"))
            .tells(json!({ "provider": "anthropic", "framework": name }));
        told.with("gen_ai.system", json!("openai")).tells(json!({ "provider": "openai", "framework": name }));
    }
}

#[test]
fn reasons_have_one_word() {
    for (canonical, words) in [
        ("stop", "stop end_turn stop_sequence STOP complete completed eos COMPLETE FinishReason.STOP"),
        (
            "length",
            "length max_tokens MAX_TOKENS max_output_tokens model_length model_context_window_exceeded",
        ),
        ("tool_call", "tool_call tool_calls tool-call tool-calls tool_use function_call TOOL_CALL"),
        (
            "content_filter",
            "content_filter content-filter content_filtered SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII \
             guardrail_intervened refusal",
        ),
        ("error", "error ERROR MALFORMED_FUNCTION_CALL failed"),
        ("pause_turn", "pause_turn"),
        ("compaction", "compaction"),
    ] {
        for word in words.split_whitespace() {
            span(
                "",
                "chat x",
                json!({ "gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": [word] }),
            )
            .tells(json!({ "finish_reasons": [canonical] }));
        }
    }
}
