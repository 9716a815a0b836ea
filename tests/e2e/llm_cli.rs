//! The commands about LLM spans, costs, models and prices.

use harness::daemon::Options;
use harness::telemetry::{spans, trace_id};
use harness::{Daemon, TestDatabase};
use serde_json::Value;

use crate::client::Exporter;
use crate::command::{Finished, closed_port, run};
use crate::llm_calls::{self, AGENT, CHAT, CLAUDE, UNKNOWN};

/// A daemon that has stored the calls.
async fn stored() -> (TestDatabase, Daemon) {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    export(&daemon).await;
    (database, daemon)
}

async fn export(daemon: &Daemon) {
    let exporter = Exporter::to(daemon).await;
    let (opentelemetry, openinference) = llm_calls::spans();
    exporter.spans(spans("chat", opentelemetry)).await.unwrap();
    exporter.spans(spans("agents", openinference)).await.unwrap();
}

async fn ask(daemon: &Daemon, arguments: &[&str]) -> Finished {
    run(&[arguments, &["--query-address", daemon.query()]].concat(), &[]).await
}

async fn json(daemon: &Daemon, arguments: &[&str]) -> Value {
    let answer = ask(daemon, &[arguments, &["--format", "json"]].concat()).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    serde_json::from_str(&answer.stdout).unwrap()
}

fn id(span: u64) -> String {
    hex::encode(span.to_be_bytes())
}

fn trace(n: u128) -> String {
    hex::encode(trace_id(n))
}

#[tokio::test]
async fn llm_spans_are_shown_as_a_list_and_one_with_its_conversation() {
    let (_database, daemon) = stored().await;
    let table = ask(&daemon, &["query", "llm"]).await;
    table.says(
        0,
        &["span id", "gpt-4o", "claude-sonnet-4-5", "get_weather", "0.003 USD", &id(CHAT), "800.000 ms"],
    );
    assert_eq!(table.stdout.lines().count(), 7, "{table:?}");

    let narrow = ["query", "llm", "--provider", "anthropic", "--min-cost", "0.01", "--tag", "beta"];
    let found = json(&daemon, &narrow).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["spanId"], id(CLAUDE));
    assert_eq!(found[0]["reading"]["usage"]["input"], 2_000);
    assert_eq!(found[0]["cost"]["amount"], "0.0105");
    assert_eq!(found[0]["reading"].get("sessionId").unwrap(), "s-1");
    assert_eq!(found[0]["reading"].get("toolName"), None, "what was not told is left out");
    let longest = json(&daemon, &["query", "llm", "--by", "duration", "--limit", "1"]).await;
    assert_eq!(longest[0]["spanId"], id(AGENT));

    let (of, chat) = (trace(1), id(CHAT));
    let one = ["query", "llm", "--trace", &of, "--span", &chat];
    let text = ask(&daemon, &one).await;
    text.says(
        0,
        &["gpt-4o, answered by gpt-4o-2024-08-06", "input 1000 (cache read 400), output 100", "0.003 USD"],
    );
    text.says(0, &["user\n  Name a colour.", "assistant (stop) answers\n  Blue."]);
    let whole = json(&daemon, &one).await;
    assert_eq!(whole["content"]["input"][0]["parts"][0]["text"], "Name a colour.");
    assert_eq!(whole["attributes"][0]["key"], "team");
    let (of, claude) = (trace(2), id(CLAUDE));
    ask(&daemon, &["query", "llm", "--trace", &of, "--span", &claude])
        .await
        .says(0, &["calls get_weather [call_9] {\"city\":\"Paris\"}"]);

    let failed = json(&daemon, &["query", "llm", "--status", "error"]).await;
    assert_eq!(failed[0]["statusMessage"], "no such city");

    ask(&daemon, &["query", "llm", "--kind", "model"]).await.says(64, &["kind must be one of llm"]);
    ask(&daemon, &["query", "llm", "--trace", &of, "--span", &id(99)]).await.says(1, &["is not stored"]);
    run(&["query", "llm", "--min-cost", "cheap"], &[]).await.says(2, &["0.0035"]);
    run(&["query", "llm", "--span", &id(CHAT)], &[]).await.says(2, &["--trace"]);
}

#[tokio::test]
async fn lists_are_about_the_time_that_is_told() {
    let (_database, daemon) = stored().await;
    // The calls began five minutes ago, one every ten seconds.
    let listed = async |times: &[&str]| {
        let found = json(&daemon, &[&["query", "llm"], times].concat()).await;
        found.as_array().unwrap().len()
    };
    assert_eq!(listed(&["--from", "10m"]).await, 6);
    assert_eq!(listed(&["--hours", "1", "--to", "10m"]).await, 0);
    assert_eq!(listed(&["--from", "2020-01-01", "--to", "2020-01-02 12:00"]).await, 0);
    assert_eq!(listed(&["--to", "4m"]).await, 6, "the day before");
    let of = trace(1);
    assert_eq!(listed(&["--trace", &of]).await, 1, "whenever it began");
    assert_eq!(listed(&["--trace", &of, "--from", "1m"]).await, 0);
    let models = ["query", "models", "--from", "1m"];
    assert_eq!(json(&daemon, &models).await.as_array().unwrap().len(), 0);
    ask(&daemon, &["query", "llm", "--from", "1h", "--to", "2h"]).await.says(64, &["must be before --to"]);
    run(&["query", "llm", "--from", "yesterday"], &[]).await.says(2, &["2026-11-01", "7d"]);
    run(&["query", "llm", "--from", "1h", "--hours", "2"], &[]).await.says(2, &["cannot be used with"]);
}

#[tokio::test]
async fn models_are_shown_with_what_is_to_do() {
    let (_database, daemon) = stored().await;
    let table = ask(&daemon, &["query", "models"]).await;
    table.says(0, &["provider", "gpt-4o", "0.003 USD", "orca-77"]);
    assert_eq!(table.stdout.lines().count(), 4, "{table:?}");
    let cheapest = json(&daemon, &["query", "models", "--by", "name", "--provider", "openai"]).await;
    assert_eq!(cheapest[0]["model"], "gpt-4o");
    assert_eq!(cheapest[0]["usageMissingCalls"], 1);
    assert_eq!(cheapest[0]["usage"]["cacheRead"], 400);

    ask(&daemon, &["prices", "unmatched"]).await.says(0, &["orca-77", "observatory prices set"]);
    let unmatched = json(&daemon, &["prices", "unmatched"]).await;
    assert_eq!((unmatched.as_array().unwrap().len(), &unmatched[0]["unpricedCalls"]), (1, &Value::from(1)));
}

#[tokio::test]
async fn a_cost_is_explained_before_and_after_its_price_is_set() {
    let (database, daemon) = stored().await;
    let url = database.url();
    let (chat, orca) =
        ([&*trace(1), &id(CHAT)].map(str::to_owned), [&*trace(3), &id(UNKNOWN)].map(str::to_owned));
    let explain = async |of: &[String; 2]| ask(&daemon, &["query", "cost", &of[0], &of[1]]).await;
    let told = explain(&chat).await;
    told.says(
        0,
        &[
            "gpt-4o-2024-08-06 of openai",
            "cache_read",
            "0.0005",
            "0.003 USD",
            "give the same cost",
            "genai-prices==",
        ],
    );
    explain(&orca)
        .await
        .says(0, &["It has no cost.", "no price is known for orca-77 of openai", "prices set"]);

    let set = async |arguments: &[&str]| {
        run(&[&["prices", "set", "--database-url", &url], arguments].concat(), &[]).await
    };
    set(&["openai", "orca-77", "input=2", "output=4", "--source", "contract 5"])
        .await
        .says(0, &["1 set (0 in place of another), 0 unchanged", "observatory reprice"]);
    set(&["openai", "orca-77", "input=2", "output=4"]).await.says(0, &["0 set", "1 unchanged"]);
    set(&["openai", "gpt-4o*", "input=5", "output=20", "cache_read=1"]).await.says(0, &["1 set"]);

    // 10 at $2 and 5 at $4 a million, which the stored row does not have yet.
    let told = explain(&orca).await;
    told.says(
        0,
        &[
            "It has no cost.",
            "another cost, which `observatory reprice` would store",
            "0.00004 USD",
            "contract 5, set 20",
        ],
    );
    let told = json(&daemon, &["query", "cost", &chat[0], &chat[1]]).await;
    assert_eq!((&told["isCurrent"], &told["stored"]["cost"]["amount"]), (&false.into(), &"0.003".into()));
    assert_eq!(told["stored"]["price"]["layer"], "catalogue", "the price that the stored cost has");
    assert_eq!(
        (&told["current"]["cost"]["amount"], &told["current"]["price"]["layer"]),
        (&"0.0054".into(), &"everyone".into())
    );

    // What is stored from now on has the new price.
    let exporter = Exporter::to(&daemon).await;
    let (mut later, _) = llm_calls::spans();
    later.iter_mut().for_each(|span| span.trace_id = trace_id(7));
    exporter.spans(spans("chat", later)).await.unwrap();
    let of = trace(7);
    let found = json(&daemon, &["query", "llm", "--trace", &of, "--model", "orca-77"]).await;
    assert_eq!(found[0]["cost"]["amount"], "0.00004");
    ask(&daemon, &["prices", "unmatched"]).await.says(0, &["orca-77", "observatory reprice"]);
}

#[tokio::test]
async fn prices_are_shown_set_and_imported() {
    let (database, daemon) = stored().await;
    let url = database.url();
    let list = async |arguments: &[&str]| json(&daemon, &[&["prices", "list"], arguments].concat()).await;
    assert!(!list(&["--model", "gpt-4o", "--layer", "catalogue"]).await.as_array().unwrap().is_empty());
    assert!(list(&["--layer", "everyone"]).await.as_array().unwrap().is_empty());
    ask(&daemon, &["prices", "show", "gpt-4o", "--provider", "openai"])
        .await
        .says(0, &["gpt-4o of openai", "2.50 USD"]);
    ask(&daemon, &["prices", "show", "orca-77"])
        .await
        .says(1, &["no price is known for orca-77", "prices set"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.tsv");
    let lines = "# ours\nopenai\torca-77\t2026-01-31\tUSD\tinput=2 input@batch=1\tcontract 5\n\
                 openai\torca-77\t-\tUSD\tinput=3\tcontract 4\n";
    std::fs::write(&file, lines).unwrap();
    let import = async |file: &str| run(&["prices", "import", file, "--database-url", &url], &[]).await;
    import(file.to_str().unwrap()).await.says(0, &["2 set"]);
    import(file.to_str().unwrap()).await.says(0, &["2 unchanged"]);
    let own = list(&["--layer", "everyone"]).await;
    assert_eq!(own.as_array().unwrap().len(), 2);
    assert_eq!(
        (&own[0]["source"], &own[0]["rates"][1]["serviceTier"]),
        (&"contract 5".into(), &"batch".into())
    );
    ask(&daemon, &["prices", "list", "--layer", "everyone"])
        .await
        .says(0, &["2026-01-31", "input=2.00 input@batch=1.00"]);
    let before = ["prices", "show", "orca-77", "--provider", "openai", "--at", "2026-01-30"];
    assert_eq!(json(&daemon, &before).await["source"], "contract 4");

    // A file with a mistake sets nothing.
    std::fs::write(&file, "openai\torca-78\t-\tUSD\tinput=1\tx\nopenai\torca-79\t-\tUSD\twords=1\tx\n")
        .unwrap();
    import(file.to_str().unwrap()).await.says(64, &["line 2", "nothing was set"]);
    assert_eq!(list(&["--layer", "everyone"]).await.as_array().unwrap().len(), 2);
    import("/nowhere/prices.tsv").await.says(1, &["can't read /nowhere/prices.tsv"]);
    let set =
        async |rate: &str| run(&["prices", "set", "openai", "x", rate, "--database-url", &url], &[]).await;
    for wrong in ["input", "input=cheap", "words=1", "input=-1"] {
        assert_eq!(set(wrong).await.code, Some(64), "{wrong}");
    }
    run(&["prices", "set", "openai", "x"], &[]).await.says(2, &["UNIT=PRICE"]);
    let nowhere = closed_port();
    run(&["prices", "list", "--query-address", &nowhere], &[]).await.says(69, &["no observatory answers at"]);
    let empty = TestDatabase::empty().await.url();
    run(&["prices", "set", "openai", "x", "input=1", "--database-url", &empty], &[])
        .await
        .says(1, &["run `observatory migrate`"]);
}

#[tokio::test]
async fn a_price_is_withdrawn_by_the_name_that_it_was_set_with() {
    let (database, daemon) = stored().await;
    let url = database.url();
    let prices = async |arguments: &[&str]| {
        run(&[&["prices"], arguments, &["--database-url", &url]].concat(), &[]).await
    };
    let orca = ["openai", "orca-77"];
    let change = async |verb: &str, more: &[&str]| prices(&[&[verb], &orca[..], more].concat()).await;
    change("withdraw", &[]).await.says(1, &["nobody set a price of orca-77", "prices list"]);
    change("set", &["input=2", "output=4", "--from", "2026-01-31"]).await.says(0, &["1 set"]);
    change("withdraw", &[]).await.says(1, &["valid from 2026-01-31: name one with --from"]);
    change("withdraw", &["--from", "2026-01-31", "--project", "1"]).await.says(1, &["for project 1"]);
    run(&["reprice", "--model", "orca*", "--database-url", &url], &[]).await.says(0, &["changed 1"]);

    change("withdraw", &["--from", "2026-01-31"]).await.says(0, &["withdrawn", "observatory reprice"]);
    let (of, span) = (trace(3), id(UNKNOWN));
    let told = ask(&daemon, &["query", "cost", &of, &span]).await;
    told.says(0, &["layer everyone", "0.00004 USD", "The prices of today give no cost"]);
    run(&["reprice", "--database-url", &url], &[]).await.says(0, &["changed 1"]);
    ask(&daemon, &["query", "cost", &of, &span]).await.says(0, &["It has no cost."]);
}

#[tokio::test]
async fn a_cost_in_another_currency_is_not_added_to_dollars() {
    let (database, daemon) = stored().await;
    let url = database.url();
    let set = ["prices", "set", "openai", "orca-77", "input=2", "output=4", "--currency", "EUR"];
    run(&[&set[..], &["--database-url", &url]].concat(), &[]).await.says(0, &["1 set"]);
    run(&["reprice", "--from", "1h", "--database-url", &url], &[]).await.says(0, &["changed 1"]);
    let listed = json(&daemon, &["query", "llm", "--model", "orca-77"]).await;
    assert_eq!(listed[0]["cost"]["currency"], "EUR");
    ask(&daemon, &["query", "models"]).await.says(0, &["1 call in another currency", "0.003 USD"]);
    ask(&daemon, &["prices", "unmatched"]).await.says(0, &["every billable call of that time"]);
    let dear = ["query", "llm", "--min-cost", "0", "--model", "orca-77"];
    assert_eq!(json(&daemon, &dear).await.as_array().unwrap().len(), 0, "it is no amount of dollars");
}
