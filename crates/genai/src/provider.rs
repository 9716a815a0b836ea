//! Providers by OpenTelemetry's names, and the frameworks that some instrumentations name in their place.
//!
//! Sources: `gen_ai.provider.name` in OpenTelemetry's registry, `GenAISystem` of OpenLLMetry's conventions, the provider and
//! system values of OpenInference, `mapProviderName` of `@ai-sdk/otel`, `semcov` of OpenLIT, `AiProvider` of Spring AI.

use llm_observatory_core::text::Text;

use crate::seen::Seen;
use crate::slots::Slot::{self, *};

/// Where a provider is named, in the order of precedence.
const PROVIDER: &[Slot] =
    &[ProviderName, LlmProvider, MlflowProvider, System, VercelModelProvider, LlmSystem, LangsmithProvider];

/// Names of providers that others give them, in lower case, and OpenTelemetry's.
const ALIASES: &[(&str, &str)] = &[
    ("anthropic", "anthropic"),
    ("openai", "openai"),
    ("amazon-bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("aws", "aws.bedrock"),
    ("aws.bedrock", "aws.bedrock"),
    ("aws_bedrock", "aws.bedrock"),
    ("bedrock", "aws.bedrock"),
    ("bedrock_converse", "aws.bedrock"),
    ("az.ai.inference", "azure.ai.inference"),
    ("azure.ai.inference", "azure.ai.inference"),
    ("azure_ai", "azure.ai.inference"),
    ("az.ai.openai", "azure.ai.openai"),
    ("azure", "azure.ai.openai"),
    ("azure-openai", "azure.ai.openai"),
    ("azure.ai.openai", "azure.ai.openai"),
    ("azure_openai", "azure.ai.openai"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("gcp.gemini", "gcp.gemini"),
    ("gemini", "gcp.gemini"),
    ("google", "gcp.gemini"),
    ("google-gla", "gcp.gemini"),
    ("google.generative-ai", "gcp.gemini"),
    ("google_genai", "gcp.gemini"),
    ("googleai", "gcp.gemini"),
    ("gcp.gen_ai", "gcp.gen_ai"),
    ("gcp.vertex_ai", "gcp.vertex_ai"),
    ("google-vertex", "gcp.vertex_ai"),
    ("google.vertex", "gcp.vertex_ai"),
    ("google_vertexai", "gcp.vertex_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("groq", "groq"),
    ("ibm.watson.ai", "ibm.watsonx.ai"),
    ("ibm.watsonx.ai", "ibm.watsonx.ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("mistral", "mistral_ai"),
    ("mistral_ai", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("moonshot_ai", "moonshot_ai"),
    ("perplexity", "perplexity"),
    ("x_ai", "x_ai"),
    ("xai", "x_ai"),
    ("ollama", "ollama"),
    ("together_ai", "together_ai"),
    ("together", "together_ai"),
    ("fireworks_ai", "fireworks_ai"),
    ("fireworks", "fireworks_ai"),
    ("huggingface", "hugging_face"),
    ("hugging_face", "hugging_face"),
    ("openrouter", "openrouter"),
];

/// Frameworks that stand where a provider belongs, in lower case, and their name.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("agent_framework", "agent_framework"),
    ("browser_use", "browser_use"),
    ("crewai", "crewai"),
    // The agent kit's own name, where it asks any provider.
    ("gcp.vertex.agent", "google_adk"),
    ("google_adk", "google_adk"),
    ("haystack", "haystack"),
    ("langchain", "langchain"),
    ("langgraph", "langgraph"),
    ("litellm", "litellm"),
    ("llama_index", "llama_index"),
    ("llamaindex", "llama_index"),
    ("mcp", "mcp"),
    ("mem0", "mem0"),
    ("microsoft.agent_framework", "agent_framework"),
    ("openai_agents", "openai_agents"),
    ("pydantic_ai", "pydantic_ai"),
    ("semantic_kernel", "semantic_kernel"),
    ("smolagents", "smolagents"),
    ("spring_ai", "spring_ai"),
    ("strands-agents", "strands-agents"),
];

/// What stands in the provider slots of a span.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Named {
    pub(crate) provider: Option<Text>,
    pub(crate) framework: Option<Text>,
}

/// The provider and the framework that a span names.
pub(crate) fn named(seen: &Seen<'_>) -> Named {
    let mut named = Named::default();
    for slot in PROVIDER {
        let Some(name) = seen.str(&[*slot]) else { continue };
        match known(&name) {
            Name::Framework(framework) => {
                named.framework.get_or_insert(Text::from_static(framework));
            }
            Name::Known(provider) => {
                named.provider = Some(Text::from_static(provider));
                return named;
            }
            Name::Unknown(provider) => {
                named.provider = Some(Text::from(provider));
                return named;
            }
        }
    }
    named
}

/// The provider that a model's name tells for certain: a prefix that routes the request, the form of names that only one
/// provider has, or a family of models that its maker alone serves under this name.
pub(crate) fn of_model(model: &str) -> Option<&'static str> {
    if let Some((route, _)) = model.split_once('/')
        && let Some(provider) = alias(&route.to_ascii_lowercase())
    {
        return Some(provider);
    }
    let bare = ["us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au."]
        .iter()
        .find_map(|region| model.strip_prefix(region))
        .unwrap_or(model);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| bare.starts_with(prefix));
    let vendors = ["anthropic.", "amazon.", "meta.llama", "cohere.", "mistral.", "ai21.", "deepseek."];
    if starts(&vendors) || model.starts_with("arn:aws:bedrock:") {
        return Some("aws.bedrock");
    }
    if starts(&["claude-"]) {
        return Some(if bare.contains('@') { "gcp.vertex_ai" } else { "anthropic" });
    }
    if starts(&["gemini-"]) {
        return Some("gcp.gen_ai");
    }
    let openai = [
        "gpt-3.5",
        "gpt-4",
        "gpt-5",
        "chatgpt-",
        "o1",
        "o3",
        "o4-",
        "text-embedding-3-",
        "text-embedding-ada-",
    ];
    starts(&openai).then_some("openai")
}

/// What a name stands for.
enum Name {
    /// A provider, by the name that we know it by.
    Known(&'static str),
    /// A provider that we do not know, in lower case.
    Unknown(String),
    /// A framework.
    Framework(&'static str),
}

fn known(name: &str) -> Name {
    if let Some(provider) = alias(name) {
        return Name::Known(provider);
    }
    let lower = name.to_ascii_lowercase();
    if let Some((_, framework)) = FRAMEWORKS.iter().find(|(alias, _)| *alias == lower) {
        return Name::Framework(framework);
    }
    // Vercel names the API too (`openai.responses`), LiteLLM the vendor (`vertex_ai-language-models`).
    let mut start = lower.as_str();
    loop {
        if let Some(provider) = alias(start) {
            return Name::Known(provider);
        }
        match start.rfind(['.', '-']) {
            Some(end) => start = &start[..end],
            None => return Name::Unknown(lower),
        }
    }
}

fn alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, provider)| *provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str) -> Option<String> {
        match known(name) {
            Name::Known(provider) => Some(provider.to_owned()),
            Name::Unknown(provider) => Some(provider),
            Name::Framework(_) => None,
        }
    }

    #[test]
    fn providers_have_one_name() {
        for (name, expected) in [
            ("openai", "openai"),
            ("OpenAI", "openai"),
            ("openai.responses", "openai"),
            ("anthropic.messages", "anthropic"),
            ("AWS", "aws.bedrock"),
            ("google.vertex.chat", "gcp.vertex_ai"),
            ("google.generative-ai", "gcp.gemini"),
            ("vertex_ai-language-models", "gcp.vertex_ai"),
            ("azure.ai.openai", "azure.ai.openai"),
            ("azure.chat", "azure.ai.openai"),
            ("MistralAI", "mistral_ai"),
            ("vLLM", "vllm"),
            ("my.own-thing", "my.own-thing"),
        ] {
            assert_eq!(provider(name).as_deref(), Some(expected), "{name}");
        }
        assert!(matches!(known("Langchain"), Name::Framework("langchain")));
    }

    #[test]
    fn a_model_tells_its_provider_where_that_is_certain() {
        for (model, expected) in [
            ("gpt-4o-mini", Some("openai")),
            ("o3-mini", Some("openai")),
            ("azure/gpt-4o", Some("azure.ai.openai")),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Some("aws.bedrock")),
            ("claude-sonnet-4-5", Some("anthropic")),
            ("claude-sonnet-4@20250514", Some("gcp.vertex_ai")),
            ("llama3.2", None),
            ("meta-llama/Llama-3", None),
            ("gpt-oss-120b", None),
            ("my-model", None),
        ] {
            assert_eq!(of_model(model), expected, "{model}");
        }
    }
}
