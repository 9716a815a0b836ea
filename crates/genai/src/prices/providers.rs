//! Names of providers: one for each, whoever spells it.

use std::borrow::Cow;

/// The name under which prices of a provider stand: OpenTelemetry's where it has one, else LiteLLM's, in lower case.
pub(super) fn canonical(provider: &str) -> Cow<'_, str> {
    let lower = lowercase(provider);
    match (alias(&lower), without_api(&lower)) {
        (Some(name), _) => Cow::Borrowed(name),
        (None, Some(name)) => alias(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed),
        (None, None) => lower,
    }
}

/// The text in lower case. Most are, and are not copied.
pub(super) fn lowercase(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

fn alias(lower: &str) -> Option<&'static str> {
    let name = match lower {
        "amazon-bedrock" | "amazon.bedrock" | "aws" | "aws_bedrock" | "bedrock" | "bedrock_converse"
        | "bedrock_mantle" => "aws.bedrock",
        "amazon-nova" => "amazon_nova",
        "az.ai.inference" | "azure_ai" => "azure.ai.inference",
        "az.ai.openai" | "azure" | "azure-openai" | "azure_openai" | "azure_text" => "azure.ai.openai",
        "cohere_chat" => "cohere",
        "codestral" | "mistral" | "mistralai" | "text-completion-codestral" => "mistral_ai",
        "fireworks" | "fireworks_ai-embedding-models" => "fireworks_ai",
        "gemini" | "google" | "google_genai" | "googleai" => "gcp.gemini",
        "github-copilot" => "github_copilot",
        "google-vertex" | "vertex" | "vertexai" => "gcp.vertex_ai",
        "ibm.watson.ai" | "watsonx" => "ibm.watsonx.ai",
        "meta" => "meta_llama",
        "moonshot" | "moonshotai" => "moonshot_ai",
        "text-completion-inception" => "inception",
        "text-completion-openai" => "openai",
        "together" | "togetherai" => "together_ai",
        "voyageai" => "voyage",
        "x-ai" | "xai" => "x_ai",
        "z-ai" => "zai",
        "zhipuai" => "bigmodel",
        _ if lower.starts_with("vertex_ai") || lower.starts_with("google.vertex") => "gcp.vertex_ai",
        _ => return None,
    };
    Some(name)
}

/// Without the API that Vercel's SDK writes behind the provider: `openai` of `openai.responses`.
fn without_api(lower: &str) -> Option<&str> {
    let (provider, _) = lower.split_once('.')?;
    // Names of OpenTelemetry's own have points too.
    let is_a_name = matches!(provider, "aws" | "gcp" | "ibm") || lower.starts_with("azure.ai.");
    (!is_a_name).then_some(provider)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_one_name() {
        for (spelled, expected) in [
            ("OpenAI", "openai"),
            ("openai.responses", "openai"),
            ("anthropic.messages", "anthropic"),
            ("mistral.chat", "mistral_ai"),
            ("google.vertex.chat", "gcp.vertex_ai"),
            ("google.generative-ai", "gcp.gemini"),
            ("vertex_ai-anthropic_models", "gcp.vertex_ai"),
            ("azure.responses", "azure.ai.openai"),
            ("azure.ai.openai", "azure.ai.openai"),
            ("azure.ai.inference", "azure.ai.inference"),
            ("aws.bedrock", "aws.bedrock"),
            ("gcp.gen_ai", "gcp.gen_ai"),
            ("ibm.watsonx.ai", "ibm.watsonx.ai"),
            ("My_Gateway", "my_gateway"),
        ] {
            assert_eq!(canonical(spelled), expected);
        }
    }

    #[test]
    fn the_maker_of_the_catalogue_has_the_same_table() {
        let script = include_str!("../../prices/make.py");
        let (_, table) = script.split_once("PROVIDERS = {\n").unwrap();
        let (table, _) = table.split_once("}\n").unwrap();
        for line in table.lines() {
            let quoted: Vec<&str> = line.split('"').collect();
            assert_eq!(canonical(quoted[1]), quoted[3], "{line}");
        }
        assert!(table.lines().count() > 20);
    }
}
