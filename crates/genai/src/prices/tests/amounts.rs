//! What calls cost, computed by hand from the price lists of the providers.

use super::*;

/// Billionths of a dollar, by the catalogue.
fn cost(reading: &LlmReading) -> Result<i64, NoCost> {
    let cost = PriceBook::new(Vec::new()).cost(PROJECT, reading, START, None)?;
    assert_eq!(cost.currency, Currency::USD);
    Ok(cost.amount)
}

#[test]
fn gpt_4o_with_cached_input() {
    // $2.50 in, $1.25 cached, $10 out: 1000 x 2.5 + 500 x 1.25 + 200 x 10 millionths.
    let usage = TokenUsage { cache_read: Some(500), ..tokens(1500, 200) };
    assert_eq!(cost(&call("openai", "gpt-4o", usage)), Ok(2_500_000 + 625_000 + 2_000_000));
}

#[test]
fn claude_sonnet_with_both_lives_of_its_cache() {
    // $3 in, $0.30 read, $3.75 written for five minutes, $6 for an hour, $15 out.
    let usage = TokenUsage {
        cache_read: Some(10_000),
        cache_creation: Some(3000),
        cache_creation_1h: Some(1000),
        ..tokens(14_000, 500)
    };
    let amount = 1000 * 3_000 + 10_000 * 300 + 2000 * 3_750 + 1000 * 6_000 + 500 * 15_000;
    assert_eq!(cost(&call("anthropic", "claude-sonnet-4-5-20250929", usage)), Ok(amount));
}

#[test]
fn a_long_prompt_raises_the_price_of_all_tokens() {
    // Claude Sonnet 4.5 above 200,000 input tokens, cached ones included: $6, $0.60, $22.50.
    let with = |input| TokenUsage { cache_read: Some(150_000), ..tokens(input, 1000) };
    let claude = |input| cost(&call("anthropic", "claude-sonnet-4-5", with(input))).unwrap();
    assert_eq!(claude(200_000), 50_000 * 3_000 + 150_000 * 300 + 1000 * 15_000);
    assert_eq!(claude(200_001), 50_001 * 6_000 + 150_000 * 600 + 1000 * 22_500);
    // Gemini 2.5 Pro: $1.25 and $10, above 200,000 tokens $2.50 and $15.
    let gemini = |input| cost(&call("gcp.gemini", "gemini-2.5-pro", tokens(input, 100))).unwrap();
    assert_eq!(gemini(200_000), 200_000 * 1_250 + 100 * 10_000);
    assert_eq!(gemini(300_000), 300_000 * 2_500 + 100 * 15_000);
}

#[test]
fn reasoning_costs_what_output_costs() {
    // o3 since June 2025: $2 and $8. Of 1000 output tokens 900 are reasoning; they count once.
    let usage = TokenUsage { reasoning: Some(900), ..tokens(100, 1000) };
    assert_eq!(cost(&call("openai", "o3-2025-04-16", usage)), Ok(100 * 2_000 + 1000 * 8_000));
}

#[test]
fn the_price_is_that_of_the_day() {
    // o3 before June 10 of 2025: $10 and $40.
    let june_9 = UnixNanos(1_749_427_200_000_000_000);
    let book = PriceBook::new(Vec::new());
    let amount =
        |start| book.cost(PROJECT, &call("openai", "o3", tokens(100, 10)), start, None).unwrap().amount;
    assert_eq!(amount(june_9), 100 * 10_000 + 10 * 40_000);
    assert_eq!(amount(UnixNanos(june_9.0 + 86_400_000_000_000 - 1)), 100 * 10_000 + 10 * 40_000);
    assert_eq!(amount(UnixNanos(june_9.0 + 86_400_000_000_000)), 100 * 2_000 + 10 * 8_000);
}

#[test]
fn embeddings_have_input_only() {
    let usage = TokenUsage { input: Some(7), ..TokenUsage::default() };
    assert_eq!(cost(&call("openai", "text-embedding-3-small", usage)), Ok(140));
}

#[test]
fn other_doors_to_the_same_models() {
    let usage = tokens(1000, 100);
    // Bedrock: in one region 10 % more than through the global profile.
    let bedrock = |model| cost(&call("aws.bedrock", model, usage)).unwrap();
    assert_eq!(bedrock("global.anthropic.claude-sonnet-4-5-20250929-v1:0"), 4_500_000);
    assert_eq!(bedrock("eu.anthropic.claude-sonnet-4-5-20250929-v1:0"), 4_950_000);
    assert_eq!(bedrock("amazon.nova-lite-v1:0"), 1000 * 60 + 100 * 240);
    assert_eq!(cost(&call("azure.ai.openai", "gpt-4o", usage)), Ok(3_500_000));
    assert_eq!(cost(&call("openrouter", "anthropic/claude-sonnet-4.5", usage)), Ok(4_500_000));
    assert_eq!(cost(&call("gcp.vertex_ai", "claude-sonnet-4-5@20250929", usage)), Ok(4_500_000));
    assert_eq!(cost(&call("groq", "openai/gpt-oss-120b", usage)), Ok(1000 * 150 + 100 * 600));
}

#[test]
fn tiers_of_service_have_their_prices() {
    let of = |tier: &str| {
        let mut reading = call("openai", "gpt-4o", tokens(1000, 100));
        reading.service_tier = Some(tier.into());
        cost(&reading).unwrap()
    };
    assert_eq!(of("batch"), 1_750_000);
    assert_eq!(of("priority"), 1000 * 4_250 + 100 * 17_000);
    // Not sold for this model, or no tier that has a price of its own.
    assert_eq!((of("flex"), of("default"), of("auto")), (3_500_000, 3_500_000, 3_500_000));
}

#[test]
fn a_reranker_is_paid_by_the_call() {
    let mut rerank = call("cohere", "rerank-v3.5", TokenUsage::default());
    assert_eq!(cost(&rerank), Ok(2_000_000));
    rerank.error_type = Some("429".into());
    assert_eq!(cost(&rerank), Err(NoCost::NoUsage));
}

#[test]
fn free_is_a_price_and_unknown_is_none() {
    assert_eq!(cost(&call("ollama", "llama3.1", tokens(1000, 100))), Ok(0));
    assert_eq!(cost(&call("ollama", "my-own-model", tokens(1000, 100))), Err(NoCost::NoPrice));
    assert_eq!(cost(&call("openai", "gpt-4o", TokenUsage::default())), Err(NoCost::NoUsage));
    let mut nameless = call("openai", "gpt-4o", tokens(1, 1));
    nameless.request_model = None;
    assert_eq!(cost(&nameless), Err(NoCost::NoModel));
    // Zero tokens are told, and cost nothing.
    assert_eq!(cost(&call("openai", "gpt-4o", tokens(0, 0))), Ok(0));
}

#[test]
fn what_the_price_lacks_is_not_invented() {
    let input_only = book(&["acme embed - USD input=1"]);
    let of =
        |usage| input_only.cost(PROJECT, &call("acme", "embed", usage), START, None).map(|cost| cost.amount);
    assert_eq!(of(tokens(5, 0)), Ok(5_000));
    assert_eq!(of(tokens(5, 1)), Err(NoCost::NoRate(Unit::Output)));
    assert_eq!(of(tokens(-1, 0)), Err(NoCost::Negative(Unit::Input)));
    assert_eq!(of(tokens(i64::MAX, 0)), Err(NoCost::TooLarge));
    // Parts of the input without a rate of their own are input.
    let usage =
        TokenUsage { cache_read: Some(2), cache_creation_1h: Some(1), input_audio: Some(1), ..tokens(5, 0) };
    assert_eq!(of(usage), Ok(5_000));
    // Parts that are more than the whole, and parts that are told twice, count at most once.
    let usage = TokenUsage { cache_read: Some(4), input_audio: Some(4), ..tokens(5, 0) };
    assert_eq!(of(usage), Ok(5_000));
}

#[test]
fn calls_and_seconds_are_counted() {
    let book = book(&["acme gpu - USD request=5000 second=100.5"]);
    let call = call("acme", "gpu", TokenUsage::default());
    let amount = |duration| book.cost(PROJECT, &call, START, duration).map(|cost| cost.amount);
    // Half a cent a call, and $100.50 for a million seconds: 2.5 of them are 251,250 billionths.
    assert_eq!(amount(Some(2_500_000_000)), Ok(5_000_000 + 251_250));
    assert_eq!(amount(None), Err(NoCost::NoDuration));
    assert_eq!(amount(Some(-1)), Err(NoCost::Negative(Unit::Second)));
}

#[test]
fn the_sum_is_rounded_once_and_halves_go_up() {
    // Two parts of 0.3 billionths each: 0.6, not 0 + 0.
    let small =
        book(&["acme small - USD input=0.0001 output=0.0001", "acme half - USD input=0.0005 output=0"]);
    let amount = |model, usage| small.cost(PROJECT, &call("acme", model, usage), START, None).unwrap().amount;
    assert_eq!(amount("small", tokens(3, 3)), 1);
    assert_eq!(amount("small", tokens(2, 2)), 0);
    assert_eq!((amount("half", tokens(1, 0)), amount("half", tokens(3, 0))), (1, 2));
}

#[test]
fn an_explanation_shows_the_price_and_each_product() {
    let book = PriceBook::new(Vec::new());
    let usage = TokenUsage { cache_read: Some(500), reasoning: Some(50), ..tokens(1500, 200) };
    let mut reading = call("OpenAI", "gpt-4o-2024-11-20", usage);
    reading.service_tier = Some("priority".into());
    let explanation = book.explain(PROJECT, &reading, START, None).unwrap();
    let found = explanation.found;
    assert_eq!((&*found.price.provider, &*found.price.model), ("openai", "gpt-4o"));
    assert_eq!((found.layer, found.rule, found.name_of), (Layer::Catalogue, Rule::Alias, NameOf::Request));
    assert!(found.price.source.starts_with("genai-prices"));
    assert_eq!((explanation.service, explanation.prompt), (ServiceTier::Priority, 1500));
    let lines: Vec<_> = explanation
        .lines
        .iter()
        .map(|line| (line.unit, line.count, line.rate.unit, line.rate.price))
        .collect();
    assert_eq!(
        lines,
        [
            (Unit::Input, 1000, Unit::Input, 4_250_000_000),
            (Unit::CacheRead, 500, Unit::CacheRead, 2_125_000_000),
            (Unit::Output, 150, Unit::Output, 17_000_000_000),
            (Unit::Reasoning, 50, Unit::Output, 17_000_000_000),
        ]
    );
    assert_eq!(explanation.exact, 8_712_500 * EXACT);
    assert_eq!(explanation.cost.amount, 8_712_500);
    assert_eq!(book.find(explanation.cost.price_id), Some(found.price));
}
