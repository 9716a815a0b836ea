//! Names of providers: one for each, whoever spells it.

use std::borrow::Cow;

/// The name under which prices of a provider stand: OpenTelemetry's where it has one, else LiteLLM's, in lower case.
pub(super) fn canonical(provider: &str) -> Cow<'_, str> {
    let lower = lowercase(provider);
    match alias(&lower) {
        Some(name) => Cow::Borrowed(name),
        None => lower,
    }
}

/// The text in lower case. Most are, and are not copied.
pub(super) fn lowercase(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

fn alias(lower: &str) -> Option<&'static str> {
    let name = match lower {
        "amazon-bedrock" | "amazon.bedrock" | "aws" | "aws_bedrock" | "bedrock" | "bedrock_converse"
        | "bedrock_mantle" => "aws.bedrock",
        "az.ai.openai" | "azure" | "azure-openai" | "azure_openai" | "azure_text" => "azure.ai.openai",
        "az.ai.inference" | "azure_ai" => "azure.ai.inference",
        "gemini" | "google" | "google.generative-ai" | "google_genai" | "googleai" => "gcp.gemini",
        "google-vertex" | "google.vertex" | "vertexai" => "gcp.vertex_ai",
        "mistral" | "mistralai" => "mistral_ai",
        "x-ai" | "xai" => "x_ai",
        "moonshot" | "moonshotai" => "moonshot_ai",
        "ibm.watson.ai" | "watsonx" => "ibm.watsonx.ai",
        "cohere_chat" => "cohere",
        "fireworks" => "fireworks_ai",
        "together" | "togetherai" => "together_ai",
        "github-copilot" => "github_copilot",
        "voyageai" => "voyage",
        "zhipuai" => "bigmodel",
        "z-ai" => "zai",
        _ if lower.starts_with("vertex_ai") => "gcp.vertex_ai",
        _ => return None,
    };
    Some(name)
}

/// Where prices of this provider are looked for after its own: another door of the same vendor, with the same price list.
pub(super) fn other_doors(canonical: &str) -> &'static [&'static str] {
    match canonical {
        "azure.ai.inference" => &["azure.ai.openai"],
        "azure.ai.openai" => &["azure.ai.inference"],
        "gcp.gemini" => &["gcp.vertex_ai"],
        "gcp.gen_ai" => &["gcp.gemini", "gcp.vertex_ai"],
        "gcp.vertex_ai" => &["gcp.gemini"],
        _ => &[],
    }
}

/// Whether the client libraries of this provider are used to call other providers too. Then a model that names another
/// provider (`openrouter/...`, `us.anthropic.claude-...`) is believed.
pub(super) fn is_a_common_client(canonical: &str) -> bool {
    matches!(canonical, "openai" | "anthropic")
}

/// Whether the provider made the models that it sells. A model that several sell is that of its maker if the call names no
/// provider.
pub(super) fn is_a_maker(canonical: &str) -> bool {
    matches!(
        canonical,
        "ai21"
            | "anthropic"
            | "cohere"
            | "deepseek"
            | "gcp.gemini"
            | "jina_ai"
            | "meta_llama"
            | "minimax"
            | "mistral_ai"
            | "moonshot_ai"
            | "openai"
            | "perplexity"
            | "voyage"
            | "x_ai"
            | "zai"
    )
}
