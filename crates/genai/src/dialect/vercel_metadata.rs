//! `ai.response.providerMetadata` of the Vercel AI SDK: what a provider tells that the SDK has no key for.

use llm_observatory_core::attributes::{Attribute, Value};
use llm_observatory_core::text::Text;

use crate::json::{at, structure};
use crate::provider_usage::of_provider;
use crate::seen::Seen;
use crate::slots::Slot::VercelProviderMetadata;
use crate::usage::Counts;
use crate::value;

/// The tier of service that answered.
pub(crate) fn service_tier(seen: &Seen<'_>) -> Option<Text> {
    let metadata = seen.get(VercelProviderMetadata).and_then(structure)?;
    let Value::Map(providers) = &*metadata else { return None };
    let tier = |provider: &Attribute<'_>| {
        at(&provider.value, &["serviceTier"])
            .or_else(|| at(&provider.value, &["usage", "service_tier"]))
            .and_then(tier)
    };
    providers.iter().find_map(tier)
}

fn tier(value: &Value<'_>) -> Option<Text> {
    value::text(value).map(|tier| Text::from(if tier == "standard" { "default" } else { &tier }))
}

/// The parts of the counts that the metadata tells. The whole is told by the SDK's own keys.
pub(crate) fn counts(seen: &Seen<'_>) -> Counts {
    let Some(metadata) = seen.get(VercelProviderMetadata).and_then(structure) else {
        return Counts::default();
    };
    let count = |path: &[&str]| at(&metadata, path).and_then(value::count);
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| count(path));
    let mut counts = Counts {
        cache_read: first(&[
            &["openai", "cachedPromptTokens"],
            &["anthropic", "cacheReadInputTokens"],
            &["bedrock", "usage", "cacheReadInputTokens"],
        ]),
        cache_creation: first(&[
            &["openai", "usage", "cacheWriteTokens"],
            &["anthropic", "cacheCreationInputTokens"],
            &["bedrock", "usage", "cacheWriteInputTokens"],
        ]),
        reasoning: count(&["openai", "reasoningTokens"]),
        ..Counts::default()
    };
    if let Some(usage) = at(&metadata, &["anthropic", "usage"]).and_then(of_provider) {
        counts.complete(&Counts { input: None, output: None, total: None, ..usage });
    }
    counts
}
