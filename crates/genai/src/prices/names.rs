//! Names of models: what a name may stand for, the nearest first.
//!
//! A name is tried as it is, then without one prefix after the other, from the left: the path of a cloud, the provider or
//! its route in LiteLLM, a region. Each of these is tried as it is, then without one suffix after the other, from the right:
//! the organisation of a fine-tuned model, a version of the API, a date.

use std::borrow::Cow;

use super::providers::canonical;

/// What a name may stand for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form<'a> {
    /// The provider that a prefix named.
    pub(super) provider: Option<Cow<'a, str>>,
    /// The name, without that prefix.
    pub(super) name: &'a str,
    /// Whether it has lost a prefix.
    pub(super) prefix: bool,
}

/// The name itself, and what it is without its prefixes. `is_provider` knows the providers that a prefix may name.
pub(super) fn without_prefixes<'a>(name: &'a str, is_provider: &dyn Fn(&str) -> bool) -> Vec<Form<'a>> {
    let mut forms = vec![Form { provider: bedrock(name), name, prefix: false }];
    let (mut rest, mut provider) = (name, None);
    while let Some((named, shorter)) = without_prefix(rest, is_provider) {
        if shorter.is_empty() {
            break;
        }
        rest = shorter;
        provider = named.or(provider).or_else(|| bedrock(rest));
        forms.push(Form { provider: provider.clone(), name: rest, prefix: true });
    }
    forms
}

/// The name, and what it is without its suffixes.
pub(super) fn without_suffixes(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| without_suffix(name).filter(|name| !name.is_empty()))
}

/// One prefix less, and the provider that it names.
fn without_prefix<'a>(
    name: &'a str,
    is_provider: &dyn Fn(&str) -> bool,
) -> Option<(Option<Cow<'a, str>>, &'a str)> {
    if name.starts_with("arn:aws") {
        let (_, model) = name.rsplit_once('/')?;
        return Some((Some(Cow::Borrowed("aws.bedrock")), model));
    }
    if let Some((first, rest)) = name.split_once('/') {
        if matches!(first, "projects" | "publishers") {
            // `projects/p/locations/l/publishers/google/models/gemini-2.5-pro`
            return Some((None, rest.split_once("/models/")?.1));
        }
        if first == "models" || is_region(first) {
            return Some((None, rest));
        }
        let provider = canonical(first);
        return is_provider(&provider).then_some((Some(provider), rest));
    }
    if let Some((first, rest)) = name.split_once(':') {
        let provider = canonical(first);
        if is_provider(&provider) {
            return Some((Some(provider), rest));
        }
    }
    let (region, rest) = name.split_once('.')?;
    BEDROCK_REGIONS.contains(&region).then_some((Some(Cow::Borrowed("aws.bedrock")), rest))
}

/// Prefixes of Bedrock's inference profiles.
const BEDROCK_REGIONS: [&str; 10] = ["apac", "au", "ca", "eu", "global", "in", "jp", "sa", "us", "us-gov"];

/// Those whose models Bedrock offers, as its ids begin: `anthropic.claude-...`.
pub(super) const BEDROCK_VENDORS: [&str; 16] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "writer",
];

/// Bedrock, if this is one of its ids.
fn bedrock(name: &str) -> Option<Cow<'static, str>> {
    let (vendor, _) = name.split_once('.')?;
    let is_its = BEDROCK_VENDORS.contains(&vendor) || BEDROCK_REGIONS.contains(&vendor);
    is_its.then_some(Cow::Borrowed("aws.bedrock"))
}

/// Whether a part of a path is the place where a model runs: `us-east-1` of AWS, `eu` of Azure.
fn is_region(part: &str) -> bool {
    let mut parts = part.split('-');
    let of_aws = parts.next().is_some_and(|country| country.len() == 2)
        && part.ends_with(|c: char| c.is_ascii_digit())
        && parts.count() >= 2;
    of_aws || matches!(part, "eu" | "us" | "global" | "global-standard")
}

/// One suffix less.
fn without_suffix(name: &str) -> Option<&str> {
    // `ft:gpt-4o-2024-08-06:my-company::id`, OpenAI's fine-tuned models.
    if let Some(rest) = name.strip_prefix("ft:")
        && let Some(end) = rest.find(':')
    {
        return Some(&name[..end + "ft:".len()]);
    }
    for suffix in [":latest", "-latest", "@latest", "@default", "[1m]"] {
        if let Some(rest) = name.strip_suffix(suffix) {
            return Some(rest);
        }
    }
    without_version(name).or_else(|| without_date(name))
}

/// Without `-v1:0`, `:0` or `-v1` (Bedrock), `-001` or `@001` (Google).
fn without_version(name: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let rest = &name[..name.len() - digits(name)];
    if rest.len() == name.len() {
        return None;
    }
    if let Some(rest) = rest.strip_suffix(':') {
        let version = &rest[..rest.len() - digits(rest)];
        return Some(version.strip_suffix("-v").filter(|_| version.len() < rest.len()).unwrap_or(rest));
    }
    if let Some(rest) = name.strip_suffix("-v1") {
        return Some(rest);
    }
    let number = &name[rest.len()..];
    (number.len() == 3 && number.starts_with("00")).then(|| rest.strip_suffix(['-', '@'])).flatten()
}

/// Without `-2024-08-06`, `-20240806` or `@20240806`.
fn without_date(name: &str) -> Option<&str> {
    let date = |text: &str, dashes: &[usize]| {
        text.bytes().enumerate().all(|(at, byte)| match dashes.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_digit(),
        }) && text.starts_with("20")
    };
    let before = |length: usize, dashes: &[usize]| {
        let at = name.len().checked_sub(length).filter(|at| name.is_char_boundary(*at))?;
        date(&name[at..], dashes).then_some(&name[..at])
    };
    before(10, &[4, 7]).or_else(|| before(8, &[]))?.strip_suffix(['-', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(name: &str) -> Vec<(Option<String>, String)> {
        let known = |name: &str| {
            matches!(name, "azure.ai.openai" | "aws.bedrock" | "openrouter" | "openai" | "mistral_ai")
        };
        without_prefixes(name, &known)
            .into_iter()
            .map(|form| (form.provider.map(Cow::into_owned), form.name.to_owned()))
            .collect()
    }

    #[test]
    fn prefixes_go_from_the_left_and_may_name_a_provider() {
        let all = |name: &str| prefixes(name).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        let last = |name: &str| prefixes(name).pop().unwrap();
        let of = |provider: &str, name: &str| (Some(provider.to_owned()), name.to_owned());
        assert_eq!(all("gpt-4o"), ["gpt-4o"]);
        assert_eq!(last("azure/gpt-4o"), of("azure.ai.openai", "gpt-4o"));
        assert_eq!(last("azure/eu/gpt-4o"), of("azure.ai.openai", "gpt-4o"));
        assert_eq!(last("openai:gpt-4o"), of("openai", "gpt-4o"));
        assert_eq!(
            all("bedrock/us-east-1/anthropic.claude-v2:1"),
            [
                "bedrock/us-east-1/anthropic.claude-v2:1",
                "us-east-1/anthropic.claude-v2:1",
                "anthropic.claude-v2:1"
            ]
        );
        assert_eq!(
            last("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            of("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0")
        );
        assert_eq!(
            last("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0"),
            of("aws.bedrock", "amazon.nova-pro-v1:0")
        );
        assert_eq!(last("models/gemini-2.5-pro"), (None, "gemini-2.5-pro".to_owned()));
        assert_eq!(
            last("projects/p/locations/global/publishers/google/models/gemini-2.5-pro"),
            (None, "gemini-2.5-pro".to_owned())
        );
        assert_eq!(all("openrouter/openai/gpt-4o"), ["openrouter/openai/gpt-4o", "openai/gpt-4o", "gpt-4o"]);
        // An organisation that is no provider stays, and so do versions that look like regions.
        assert_eq!(all("meta-llama/llama-3.1-8b"), ["meta-llama/llama-3.1-8b"]);
        assert_eq!(all("gpt-oss:20b"), ["gpt-oss:20b"]);
        assert_eq!(all("azure/"), ["azure/"]);
    }

    #[test]
    fn suffixes_go_from_the_right() {
        let last = |name: &'static str| without_suffixes(name).last().unwrap();
        let count = |name: &'static str| without_suffixes(name).count();
        assert_eq!(last("gpt-4o-2024-08-06"), "gpt-4o");
        assert_eq!(last("claude-3-5-sonnet@20240620"), "claude-3-5-sonnet");
        assert_eq!(last("anthropic.claude-3-5-sonnet-20241022-v2:0"), "anthropic.claude-3-5-sonnet");
        assert_eq!(count("anthropic.claude-3-5-sonnet-20241022-v2:0"), 3);
        assert_eq!(last("amazon.titan-embed-text-v2:0"), "amazon.titan-embed-text");
        assert_eq!(last("llama3:latest"), "llama3");
        assert_eq!(last("gemini-2.0-flash-001"), "gemini-2.0-flash");
        assert_eq!(
            last("ft:gpt-4.1-2025-04-14:my-company::abc123"),
            "ft:gpt-4.1",
            "the base comes first, then its date"
        );
        // No version of the API, no date of a release: part of the name.
        for name in [
            "gpt-4",
            "gpt-5.2",
            "o3",
            "gpt-4-0613",
            "llama3:8b",
            "gemini-2.5-flash-preview-05-20",
            "é0240620",
        ] {
            assert_eq!(last(name), name);
        }
    }
}
