//! Prices as text.

use super::*;

#[test]
fn a_line_is_read_and_written_back() {
    for line in [
        "openai\tgpt-4o\t-\tUSD\tinput=2.5 input@batch=1.25 cache_read=1.25 output=10\tprice list of my company",
        "anthropic\tclaude-sonnet-4-5\t2025-09-29\tUSD\tinput=3 input>200000=6 input@batch>200000=3 output=15\t",
        "*\tin-house-*\t2026-01-31T12:00:00.5Z\tEUR\trequest=5000 second=0.000000001\tours",
    ] {
        let prices = parse(&format!("# a comment\n\n{line}\n"), Some(PROJECT)).unwrap();
        assert_eq!(prices.len(), 1);
        assert_eq!(prices[0].project, Some(PROJECT));
        assert_eq!(write(&prices[0]), line);
    }
}

#[test]
fn rates_stand_alone_too() {
    let text = "input=2.5 input@batch=1.25 output>200000=0.000000001";
    assert_eq!(write_rates(&parse_rates(text).unwrap()), text);
    let error = parse_rates("input=1 tokens=2").unwrap_err();
    assert_eq!((error.line, error.column), (1, 9));
}

#[test]
fn errors_name_line_and_column() {
    let error = |line: &str| parse(&format!("# head\n{line}"), None).unwrap_err().to_string();
    for (line, expected) in [
        ("openai\tgpt-4o\tyesterday\tUSD\tinput=1", "line 2, column 15: a moment"),
        ("openai\tgpt-4o\t2026-02-30\tUSD\tinput=1", "line 2, column 15: a moment"),
        ("openai\tgpt-4o\t1969-12-31\tUSD\tinput=1", "line 2, column 15: a moment"),
        ("openai\tgpt-4o\t-\tdollars\tinput=1", "line 2, column 17: a currency"),
        ("openai\tgpt-4o\t-\tUSD\tinput=1 tokens=2", "line 2, column 29: a unit is input, cache_read"),
        ("openai\tgpt-4o\t-\tUSD\tinput=1 output=1.1234567891", "line 2, column 36: a price is digits"),
        ("openai\tgpt-4o\t-\tUSD\tinput=-1", "line 2, column 27: a price is digits"),
        ("openai\tgpt-4o\t-\tUSD\tinput@night=1", "line 2, column 27: a tier is standard, batch"),
        ("openai\tgpt-4o\t-\tUSD\tinput>many=1", "line 2, column 27: a threshold"),
        ("openai\tgpt-4o\t-\tUSD\tinput", "line 2, column 21: a rate is"),
        ("openai\tgpt-4o\t-\tUSD\tinput=1 input=2", "line 2, column 21: two rates for input"),
        ("openai\tgpt-4o\t-\tUSD\t", "line 2, column 21: a price needs"),
        ("openai\tgpt-4o\t-\tUSD\tinput=1\tme\tyou", "line 2, column 32: more than six columns"),
        ("openai\tgpt-4o\t=\tgpt-4", "line 2, column 15: only the catalogue"),
        ("\tgpt-4o\t-\tUSD\tinput=1", "line 2, column 1: the provider is empty"),
        ("openai\tgpt*4\t-\tUSD\tinput=1", "line 2, column 8: * may stand at the end"),
        ("öpénai\t\t-\tUSD\tinput=1", "line 2, column 8: the model is empty"),
        ("just words", "line 2, column 11: a price has five columns"),
        ("openai gpt-4o - USD input=1 me", "line 2, column 31: a price has five columns"),
    ] {
        let shown = error(line);
        assert!(shown.starts_with(expected), "{line:?}: {shown}");
    }
}

#[test]
fn an_id_is_that_of_the_facts() {
    let same = |line: &str, project| priced(line, project).id();
    let id = same("openai gpt-4o - USD input=2.5 output=10", None);
    // Stored with each span that was priced: it must not change from version to version.
    assert_eq!(id, 7_666_866_896_712_052_956);
    assert!(id > 0);
    assert_eq!(same("openai gpt-4o - USD output=10 input=2.50", None), id);
    let from_elsewhere = parse("openai\tgpt-4o\t-\tUSD\tinput=2.5 output=10\telsewhere", None).unwrap();
    assert_eq!(from_elsewhere[0].id(), id);
    for (line, project) in [
        ("openai gpt-4o - USD input=2.5 output=10", Some(ProjectId(0))),
        ("openai gpt-4o 2025-01-01 USD input=2.5 output=10", None),
        ("openai gpt-4o - EUR input=2.5 output=10", None),
        ("openai gpt-4o - USD input=2.5 output=11", None),
        ("openai gpt-4o - USD input@batch=2.5 output=10", None),
        ("openai gpt-4 - USD input=2.5 output=10", None),
        ("azure gpt-4o - USD input=2.5 output=10", None),
    ] {
        assert_ne!(same(line, project), id, "{line}");
    }
}
