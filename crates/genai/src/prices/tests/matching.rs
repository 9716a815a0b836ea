//! Which price a call has.

use super::*;

/// Provider and model of the price in the catalogue, and the rule that found it.
fn found(provider: &str, model: &str) -> Option<(&'static str, &'static str, Rule)> {
    let book = PriceBook::new(Vec::new());
    let provider = (!provider.is_empty()).then_some(provider);
    let id = |found: Match<'_>| (found.price.id(), found.rule);
    let (id, rule) = book.price_of(PROJECT, provider, None, Some(model), START).map(id)?;
    let price = catalogue().iter().find(|price| price.id() == id)?;
    Some((&price.provider, &price.model, rule))
}

#[test]
fn names_are_found_by_rules_in_their_order() {
    use Rule::{Alias, Exact, Pattern, Prefix, Suffix};
    for (provider, model, expected) in [
        ("openai", "gpt-4o", ("openai", "gpt-4o", Exact)),
        ("OpenAI", "GPT-4o", ("openai", "gpt-4o", Exact)),
        // A version with a price of its own keeps it.
        ("openai", "gpt-4o-2024-05-13", ("openai", "gpt-4o-2024-05-13", Exact)),
        ("openai", "gpt-4o-2024-08-06", ("openai", "gpt-4o", Alias)),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o", Prefix)),
        ("openai", "gpt-4o-2031-01-31", ("openai", "gpt-4o", Suffix)),
        ("openai", "ft:gpt-4o-2024-08-06:my-company::abc", ("openai", "ft:gpt-4o-2024-08-06", Suffix)),
        ("openai", "ft:gpt-4o-2024-next", ("openai", "ft:gpt-4o", Pattern)),
        ("mistral", "mistral-large-2411", ("mistral_ai", "mistral-large", Alias)),
        ("anthropic", "claude-sonnet-4-5@20250929", ("anthropic", "claude-sonnet-4-5", Suffix)),
        ("azure", "azure/gpt-4o", ("azure.ai.openai", "gpt-4o", Prefix)),
        ("azure.ai.openai", "eu/gpt-5.2", ("azure.ai.openai", "eu/gpt-5.2", Exact)),
        (
            "bedrock",
            "bedrock/eu-west-9/amazon.nova-pro-v1:0",
            ("aws.bedrock", "amazon.nova-pro-v1:0", Prefix),
        ),
        ("aws.bedrock", "sa.amazon.nova-pro-v1:0", ("aws.bedrock", "amazon.nova-pro-v1:0", Prefix)),
        ("aws.bedrock", "nova-pro-v1:0", ("aws.bedrock", "amazon.nova-pro-v1:0", Alias)),
        ("gcp.gemini", "models/gemini-2.5-pro", ("gcp.gemini", "gemini-2.5-pro", Prefix)),
        (
            "gcp.vertex_ai",
            "publishers/google/models/gemini-2.5-pro",
            ("gcp.vertex_ai", "gemini-2.5-pro", Prefix),
        ),
        ("gcp.gen_ai", "gemini-2.5-pro", ("gcp.gemini", "gemini-2.5-pro", Exact)),
        ("ollama", "llama3.1:latest", ("ollama", "llama3.1", Suffix)),
        // The client of OpenAI calls others too: a model that names its provider is believed.
        ("openai", "groq/openai/gpt-oss-120b", ("groq", "openai/gpt-oss-120b", Prefix)),
        (
            "anthropic",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", Exact),
        ),
    ] {
        assert_eq!(found(provider, model), Some(expected), "{provider} {model}");
    }
}

#[test]
fn without_a_provider_the_name_must_be_unambiguous() {
    // Many sell it, one made it.
    assert_eq!(found("", "gpt-4o"), Some(("openai", "gpt-4o", Rule::Exact)));
    assert_eq!(found("", "claude-sonnet-4-5").map(|found| found.0), Some("anthropic"));
    assert_eq!(found("", "azure/gpt-4o").map(|found| found.0), Some("azure.ai.openai"));
    assert_eq!(
        found("", "us.anthropic.claude-sonnet-4-5-20250929-v1:0").map(|found| found.0),
        Some("aws.bedrock")
    );
    // Many sell it, and none of them made it.
    assert_eq!(found("", "meta-llama/llama-3.3-70b-instruct"), None);
}

#[test]
fn no_price_is_taken_from_somebody_else() {
    assert_eq!(found("groq", "gpt-4o"), None);
    assert_eq!(found("groq", "azure/gpt-4o"), None);
    assert_eq!(found("my_gateway", "gpt-4o"), None);
    assert_eq!(found("openai", "claude-sonnet-4-5"), None);
    // Other models than those that have a price.
    assert_eq!(found("openai", "gpt-4o-super"), None);
    assert_eq!(found("openai", "gpt"), None);
    assert_eq!(found("openrouter", "anthropic/claude-sonnet-4.5:nonsense"), None);
    assert_eq!(found("", ""), None);
}

#[test]
fn own_prices_win_and_those_of_the_project_first() {
    let own = vec![
        priced("openai gpt-4o - USD input=1 output=1", None),
        priced("openai gpt-4o 2025-06-01 USD input=2 output=2", None),
        priced("openai gpt-4o - EUR input=3 output=3", Some(PROJECT)),
        priced("openai my-deployment - USD input=4 output=4", None),
        priced("* in-house-* - USD input=5 output=5", None),
        priced("* in-house-large-* - USD input=6 output=6", None),
    ];
    let book = PriceBook::new(own);
    let rate = |project, provider, response, request, start| {
        let found = book.price_of(project, provider, response, request, start)?;
        Some((found.price.rates[0].price / 1_000_000_000, found.layer, found.name_of))
    };
    let openai = Some("openai");
    let (response, request) = (NameOf::Response, NameOf::Request);
    assert_eq!(rate(PROJECT, openai, None, Some("gpt-4o"), START), Some((3, Layer::Project, request)));
    let other = ProjectId(8);
    assert_eq!(rate(other, openai, None, Some("gpt-4o"), START), Some((2, Layer::Everyone, request)));
    let before = UnixNanos(START.0 - 365 * 86_400_000_000_000);
    assert_eq!(rate(other, openai, None, Some("gpt-4o"), before), Some((1, Layer::Everyone, request)));
    // By the rules too: the response has the date in its name.
    let dated = Some("gpt-4o-2024-08-06");
    assert_eq!(rate(other, openai, dated, Some("gpt-4o"), START), Some((2, Layer::Everyone, response)));
    // An own price of the model that was asked for wins over the catalogue's of the one that answered.
    let mini = Some("gpt-4o-mini");
    assert_eq!(rate(other, openai, mini, Some("my-deployment"), START), Some((4, Layer::Everyone, request)));
    assert_eq!(rate(other, openai, mini, None, START), Some((0, Layer::Catalogue, response)));
    // Whoever the provider is, and the longest beginning.
    assert_eq!(
        rate(other, Some("vllm"), None, Some("in-house-7b"), START),
        Some((5, Layer::Everyone, request))
    );
    assert_eq!(rate(other, None, None, Some("in-house-large-2"), START), Some((6, Layer::Everyone, request)));
}

#[test]
fn a_price_that_begins_later_does_not_hold_yet() {
    let own = vec![priced("acme m 2026-01-01 USD input=1", None)];
    let book = PriceBook::new(own);
    let at = |start| book.price_of(PROJECT, Some("acme"), None, Some("m"), start).is_some();
    let new_year = 1_767_225_600_000_000_000;
    assert!(!at(UnixNanos(new_year - 1)));
    assert!(at(UnixNanos(new_year)));
}

#[test]
fn lists_are_filtered() {
    let own = vec![
        priced("openai gpt-4o - USD input=1", None),
        priced("openai gpt-4o 2025-01-01 USD input=2", None),
        priced("openai gpt-4o 2035-01-01 USD input=3", None),
        priced("openai gpt-4o - USD input=4", Some(PROJECT)),
        priced("openai gpt-4o - USD input=5", Some(ProjectId(8))),
    ];
    let book = PriceBook::new(own);
    let inputs = |filter: PriceFilter<'_>| {
        let own = book.list(&filter).into_iter().filter(|(layer, _)| *layer != Layer::Catalogue);
        own.map(|(_, price)| price.rates[0].price / 1_000_000_000).collect::<Vec<_>>()
    };
    let all = PriceFilter { model: Some("GPT-4o"), ..PriceFilter::default() };
    assert_eq!(inputs(all), [4, 5, 1, 2, 3]);
    assert_eq!(inputs(PriceFilter { project: Some(PROJECT), ..all }), [4, 1, 2, 3]);
    assert_eq!(inputs(PriceFilter { project: Some(PROJECT), at: Some(START), ..all }), [4, 2]);
    assert_eq!(inputs(PriceFilter { provider: Some("azure"), ..all }), [0; 0]);
    // Of the catalogue each model has one price at a moment.
    let now = book.list(&PriceFilter { provider: Some("openai"), model: Some("o3"), at: Some(START), ..all });
    let models: Vec<&str> = now.iter().map(|(_, price)| &*price.model).collect();
    assert_eq!(models.iter().filter(|model| **model == "o3").count(), 1, "{models:?}");
}
