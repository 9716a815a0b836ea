//! What is asked about LLM spans: lists with every filter and order, one with its content, costs, models and prices.

use harness::telemetry::{record, records, spans, text, trace_id};
use harness::{Daemon, TestDatabase};
use llm_observatory_proto::v1::llm_part::Part;
use llm_observatory_proto::v1::{
    ExplainCostRequest, GetLlmSpanRequest, ListLlmSpansRequest, ListModelsRequest, ListPricesRequest,
    LlmSpanOrder, ModelOrder,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost_types::Duration;
use tonic::Code;

use crate::client::{BEGINNING, END, Exporter, Reader};
use crate::llm_calls::{self, AGENT, CHAT, CLAUDE, PLAIN, SILENT, TOOL, UNKNOWN};
use crate::query::world;

/// A daemon that has stored the calls.
async fn stored() -> (TestDatabase, Daemon, Exporter, Reader) {
    let (database, daemon, exporter, reader) = world().await;
    let (opentelemetry, openinference) = llm_calls::spans();
    exporter.spans(spans("chat", opentelemetry)).await.unwrap();
    exporter.spans(spans("agents", openinference)).await.unwrap();
    (database, daemon, exporter, reader)
}

fn id(span: u64) -> String {
    hex::encode(span.to_be_bytes())
}

fn trace(n: u128) -> String {
    hex::encode(trace_id(n))
}

fn all() -> ListLlmSpansRequest {
    ListLlmSpansRequest::default()
}

/// The ids of all spans that fit, in pages of two.
async fn listed(reader: &Reader, request: ListLlmSpansRequest) -> Vec<u64> {
    let mut request = ListLlmSpansRequest { page_size: 2, ..request };
    let mut ids = Vec::new();
    loop {
        let page = reader.llm_spans(request.clone()).await.unwrap();
        assert!(page.spans.len() <= 2, "{request:?}");
        ids.extend(page.spans.iter().map(|span| u64::from_str_radix(&span.span_id, 16).unwrap()));
        if page.next_page_token.is_empty() {
            return ids;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn llm_spans_are_listed_by_every_filter_alone_and_together() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let text = |text: &str| text.to_owned();
    let milliseconds = |milliseconds: i32| Some(Duration { seconds: 0, nanos: milliseconds * 1_000_000 });
    let questions = [
        (all(), vec![SILENT, UNKNOWN, TOOL, CLAUDE, AGENT, CHAT]),
        (ListLlmSpansRequest { kind: text("tool"), ..all() }, vec![TOOL]),
        (ListLlmSpansRequest { provider: text("anthropic"), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { model: text("gpt-4o"), ..all() }, vec![SILENT, CHAT]),
        (ListLlmSpansRequest { service: text("chat"), ..all() }, vec![SILENT, UNKNOWN, CHAT]),
        (ListLlmSpansRequest { session_id: text("s-1"), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { session_id: text("talk-1"), ..all() }, vec![CHAT]),
        (ListLlmSpansRequest { user_id: text("ada"), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { status: text("error"), ..all() }, vec![TOOL]),
        (ListLlmSpansRequest { status: text("ok"), ..all() }, vec![]),
        (ListLlmSpansRequest { status: text("unset"), kind: text("agent"), ..all() }, vec![AGENT]),
        (ListLlmSpansRequest { billable: Some(false), ..all() }, vec![TOOL, AGENT]),
        (ListLlmSpansRequest { usage_missing: Some(true), ..all() }, vec![SILENT]),
        (ListLlmSpansRequest { tool_name: text("get_weather"), ..all() }, vec![TOOL]),
        (ListLlmSpansRequest { agent_name: text("forecaster"), kind: text("agent"), ..all() }, vec![AGENT]),
        (ListLlmSpansRequest { tag: text("beta"), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { tag: text("bet"), ..all() }, vec![]),
        (ListLlmSpansRequest { prompt_name: text("none"), ..all() }, vec![]),
        (ListLlmSpansRequest { trace_id: trace(3), ..all() }, vec![SILENT, UNKNOWN]),
        (ListLlmSpansRequest { min_input_tokens: Some(1_000), ..all() }, vec![CLAUDE, CHAT]),
        (ListLlmSpansRequest { max_input_tokens: Some(1_000), ..all() }, vec![UNKNOWN, CHAT]),
        (
            ListLlmSpansRequest { min_output_tokens: Some(100), max_output_tokens: Some(299), ..all() },
            vec![CHAT],
        ),
        (ListLlmSpansRequest { min_total_tokens: Some(1_101), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { max_total_tokens: Some(15), ..all() }, vec![UNKNOWN]),
        (ListLlmSpansRequest { min_cost_nanos: Some(5_000_000), ..all() }, vec![CLAUDE]),
        (ListLlmSpansRequest { max_cost_nanos: Some(5_000_000), ..all() }, vec![CHAT]),
        (ListLlmSpansRequest { min_duration: milliseconds(800), ..all() }, vec![CLAUDE, AGENT, CHAT]),
        (ListLlmSpansRequest { max_duration: milliseconds(50), ..all() }, vec![UNKNOWN, TOOL]),
        // Together.
        (ListLlmSpansRequest { model: text("gpt-4o"), usage_missing: Some(false), ..all() }, vec![CHAT]),
        (
            ListLlmSpansRequest { trace_id: trace(2), kind: text("llm"), user_id: text("ada"), ..all() },
            vec![CLAUDE],
        ),
        (ListLlmSpansRequest { provider: text("openai"), user_id: text("ada"), ..all() }, vec![]),
        (ListLlmSpansRequest { end_time: BEGINNING, start_time: BEGINNING, ..all() }, vec![]),
    ];
    for (request, expected) in questions {
        assert_eq!(listed(&reader, request.clone()).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn llm_spans_are_listed_in_every_order() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let orders = [
        (LlmSpanOrder::Unspecified, [SILENT, UNKNOWN, TOOL, CLAUDE, AGENT, CHAT]),
        (LlmSpanOrder::StartTime, [SILENT, UNKNOWN, TOOL, CLAUDE, AGENT, CHAT]),
        (LlmSpanOrder::Duration, [AGENT, CLAUDE, CHAT, SILENT, UNKNOWN, TOOL]),
        // Those without a cost come last, the newest of them first.
        (LlmSpanOrder::Cost, [CLAUDE, CHAT, SILENT, UNKNOWN, TOOL, AGENT]),
        (LlmSpanOrder::Tokens, [CLAUDE, CHAT, UNKNOWN, SILENT, TOOL, AGENT]),
    ];
    for (order, mut expected) in orders {
        let request = ListLlmSpansRequest { order_by: order.into(), ..all() };
        assert_eq!(listed(&reader, request.clone()).await, expected, "{order:?}");
        expected.reverse();
        let request = ListLlmSpansRequest { ascending: true, ..request };
        assert_eq!(listed(&reader, request).await, expected, "{order:?}, ascending");
    }
}

#[tokio::test]
async fn a_listed_span_tells_its_reading_and_its_cost() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let one = async |kind: &str, model: &str| {
        let request = ListLlmSpansRequest {
            kind: kind.to_owned(),
            model: model.to_owned(),
            usage_missing: Some(false),
            ..all()
        };
        let spans = reader.llm_spans(request).await.unwrap().spans;
        assert_eq!(spans.len(), 1);
        spans.into_iter().next().unwrap()
    };
    let chat = one("llm", "gpt-4o").await;
    assert_eq!((chat.trace_id, chat.span_id, chat.service.as_str()), (trace(1), id(CHAT), "chat"));
    assert_eq!((chat.name.as_str(), chat.parent_span_id.as_str()), ("span 1", ""));
    assert_eq!(chat.duration, Some(Duration { seconds: 0, nanos: 800_000_000 }));
    let reading = chat.reading.unwrap();
    assert_eq!((reading.dialect.as_str(), reading.operation.as_str()), ("otel_genai", "chat"));
    assert_eq!(reading.response_model, "gpt-4o-2024-08-06");
    assert_eq!(reading.finish_reasons, ["stop"]);
    assert_eq!(reading.parameters.unwrap().temperature, Some(0.5));
    let usage = reading.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(1_000), Some(100), Some(400)));
    assert_eq!(usage.reasoning, None, "what was not told is not set");
    let billing = chat.billing.unwrap();
    // 600 at $2.50, 400 cached at $1.25, 100 at $10 a million.
    let cost = billing.cost.unwrap();
    assert_eq!((cost.nanos, cost.currency.as_str(), cost.amount.as_str()), (3_000_000, "USD", "0.003"));
    assert!(billing.billable && !billing.usage_missing && billing.price_id.len() == 16);

    let claude = one("llm", "claude-sonnet-4-5").await;
    assert_eq!(claude.parent_span_id, id(AGENT));
    let reading = claude.reading.unwrap();
    assert_eq!((reading.dialect.as_str(), reading.user_id.as_str()), ("openinference", "ada"));
    assert_eq!(reading.tags, ["beta", "weather"]);
    assert_eq!(reading.metadata[0].key, "ticket");
    assert_eq!(claude.billing.unwrap().cost.unwrap().amount, "0.0105");

    let tool = one("tool", "").await;
    assert_eq!((tool.status_message.as_str(), tool.log_id.as_str()), ("no such city", ""));
    let explained = ExplainCostRequest { trace_id: trace(2), span_id: id(TOOL) };
    assert_eq!(reader.explained(explained).await.unwrap().span, Some(tool.clone()));
    assert_eq!((tool.status.as_str(), tool.reading.unwrap().tool_name.as_str()), ("error", "get_weather"));
    assert_eq!(tool.billing.unwrap().cost, None);
}

fn get(n: u128, span: u64) -> GetLlmSpanRequest {
    GetLlmSpanRequest { trace_id: trace(n), span_id: id(span), max_value_bytes: 0 }
}

#[tokio::test]
async fn one_span_tells_what_was_said_in_either_dialect() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let chat = reader.llm_span(get(1, CHAT)).await.unwrap();
    let content = chat.content.unwrap();
    let said = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let first = |message: &llm_observatory_proto::v1::LlmMessage| message.parts[0].part.clone().unwrap();
    assert_eq!((content.input.len(), content.input[0].role.as_str()), (1, "user"));
    assert_eq!(said(&first(&content.input[0])), "Name a colour.");
    assert_eq!(content.output[0].finish_reason.as_deref(), Some("stop"));
    assert_eq!(said(&first(&content.output[0])), "Blue.");
    let left: Vec<_> = chat.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(left, ["team"]);
    assert_eq!((chat.event_count, chat.log_record_count, chat.log_records_left), (1, 0, false));

    let claude = reader.llm_span(get(2, CLAUDE)).await.unwrap().content.unwrap();
    assert_eq!(said(&first(&claude.input[0])), "Will it rain?");
    let Part::ToolCall(call) = first(&claude.output[0]) else { panic!("{claude:?}") };
    assert_eq!((call.id.as_deref(), call.name.as_str()), (Some("call_9"), "get_weather"));
    assert_eq!(call.arguments, r#"{"city":"Paris"}"#);

    let tool = reader.llm_span(get(2, TOOL)).await.unwrap();
    assert_eq!(tool.span.unwrap().status_message, "no such city");
    let content = tool.content.unwrap();
    assert_eq!(content.tool_arguments.as_deref(), Some(r#"{"city":"Paris"}"#));
    assert_eq!(content.tool_result.as_deref(), Some(r#"{"error":"no such city"}"#));

    let cut = GetLlmSpanRequest { max_value_bytes: 4, ..get(1, CHAT) };
    let cut = reader.llm_span(cut).await.unwrap().content.unwrap();
    assert_eq!(said(&first(&cut.input[0])), "Name<cut: 14 bytes>");
}

#[tokio::test]
async fn messages_in_log_records_join_the_span() {
    let (_database, _daemon, exporter, reader) = stored().await;
    let said = |name: &str, attributes| LogRecord {
        trace_id: trace_id(3),
        span_id: UNKNOWN.to_be_bytes().to_vec(),
        event_name: name.to_owned(),
        attributes,
        ..record("")
    };
    let asked = r#"[{"role":"user","parts":[{"type":"text","content":"Where do orcas live?"}]}]"#;
    let details =
        said("gen_ai.client.inference.operation.details", vec![text("gen_ai.input.messages", asked)]);
    let other = said("http.request", vec![]);
    exporter.records(records("chat", vec![details, other])).await.unwrap();
    let whole = reader.llm_span(get(3, UNKNOWN)).await.unwrap();
    assert_eq!(whole.log_record_count, 1, "the other record says nothing of the call");
    let input = whole.content.unwrap().input;
    assert_eq!(input[0].parts[0].part, Some(Part::Text("Where do orcas live?".to_owned())));
}

#[tokio::test]
async fn costs_are_explained_to_the_last_digit() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let explain = async |n, span| {
        let request = ExplainCostRequest { trace_id: trace(n), span_id: id(span) };
        reader.explained(request).await.unwrap()
    };
    let chat = explain(1, CHAT).await;
    assert!(chat.is_current && chat.reason.is_empty(), "{chat:?}");
    assert_eq!(chat.stored, chat.current);
    let stored = chat.stored.unwrap();
    let price = stored.price.unwrap();
    assert_eq!((price.provider.as_str(), price.layer.as_str()), ("openai", "catalogue"));
    assert_eq!(price.id, chat.span.unwrap().billing.unwrap().price_id);
    assert!(!price.source.is_empty() && stored.catalogue.contains("as of 20"), "{}", stored.catalogue);
    assert_eq!((stored.matched_name.as_str(), stored.input_tokens), ("response_model", 1_000));
    let lines: Vec<_> = stored
        .lines
        .iter()
        .map(|line| {
            let rate = line.rate.as_ref().unwrap();
            (line.unit.as_str(), line.quantity, rate.amount_per_million.as_str(), line.product.as_str())
        })
        .collect();
    let expected = [
        ("input", 600, "2.50", "0.0015"),
        ("cache_read", 400, "1.25", "0.0005"),
        ("output", 100, "10.00", "0.001"),
    ];
    assert_eq!(lines, expected);
    assert_eq!((stored.sum.as_str(), stored.cost.unwrap().nanos), ("0.003", 3_000_000));

    for (n, span, reason, word) in [
        (3, UNKNOWN, "no_price", "orca-77"),
        (3, SILENT, "no_usage", "no usage"),
        (2, TOOL, "not_billable", "tool"),
        (2, AGENT, "not_billable", "agent"),
    ] {
        let explained = explain(n, span).await;
        assert_eq!((explained.reason.as_str(), explained.stored, explained.current), (reason, None, None));
        assert!(explained.is_current && explained.explanation.contains(word), "{}", explained.explanation);
    }
}

#[tokio::test]
async fn models_are_listed_with_what_they_cost() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let question = ListModelsRequest { page_size: 1, ..ListModelsRequest::default() };
    let models = async |request: ListModelsRequest| {
        let (mut request, mut models) = (request, Vec::new());
        loop {
            let page = reader.models(request.clone()).await.unwrap();
            models.extend(page.models);
            if page.next_page_token.is_empty() {
                return models;
            }
            request.page_token = page.next_page_token;
        }
    };
    let found = models(question.clone()).await;
    let shown: Vec<_> = found
        .iter()
        .map(|model| {
            let cost = model.cost.as_ref().map(|cost| cost.amount.as_str());
            (
                model.model.as_str(),
                model.calls,
                model.billable_calls,
                model.usage_missing_calls,
                cost,
                model.is_priced,
            )
        })
        .collect();
    let expected = [
        ("claude-sonnet-4-5", 1, 1, 0, Some("0.0105"), true),
        ("gpt-4o", 2, 2, 1, Some("0.003"), true),
        ("orca-77", 1, 1, 0, None, false),
    ];
    assert_eq!(shown, expected);
    let gpt = found[1].usage.unwrap();
    assert_eq!(
        (gpt.input, gpt.output, gpt.cache_read, gpt.reasoning),
        (Some(1_000), Some(100), Some(400), None)
    );
    assert!(found[1].first_seen.unwrap().seconds < found[1].last_seen.unwrap().seconds);

    let names =
        async |request| models(request).await.into_iter().map(|model| model.model).collect::<Vec<_>>();
    let by = |order: ModelOrder| ListModelsRequest { order_by: order.into(), ..question.clone() };
    assert_eq!(names(by(ModelOrder::Calls)).await, ["gpt-4o", "claude-sonnet-4-5", "orca-77"]);
    assert_eq!(names(by(ModelOrder::Tokens)).await, ["claude-sonnet-4-5", "gpt-4o", "orca-77"]);
    assert_eq!(names(by(ModelOrder::Name)).await, ["claude-sonnet-4-5", "gpt-4o", "orca-77"]);
    let unpriced = ListModelsRequest { unpriced_only: true, ..question.clone() };
    assert_eq!(names(unpriced).await, ["orca-77"]);
    let narrow =
        ListModelsRequest { provider: "openai".to_owned(), service: "chat".to_owned(), ..question.clone() };
    assert_eq!(names(narrow).await, ["gpt-4o", "orca-77"]);
}

#[tokio::test]
async fn prices_are_listed_and_found_for_the_names_of_calls() {
    let (_database, _daemon, _exporter, reader) = world().await;
    let question = ListPricesRequest {
        provider: "openai".to_owned(),
        model_contains: "GPT-4O".to_owned(),
        page_size: 3,
        ..ListPricesRequest::default()
    };
    let mut request = question.clone();
    let mut prices = Vec::new();
    loop {
        let page = reader.prices(request.clone()).await.unwrap();
        prices.extend(page.prices);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert!(prices.len() > 3);
    assert!(prices.iter().all(|price| price.provider == "openai" && price.model.contains("gpt-4o")));
    let names: Vec<_> = prices.iter().map(|price| price.model.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let whole = ListPricesRequest { page_size: 1_000, ..question.clone() };
    assert_eq!(reader.prices(whole).await.unwrap().prices, prices, "the pages are the list");

    let called = |model: &str| ListPricesRequest {
        provider: "openai".to_owned(),
        called_model: model.to_owned(),
        ..ListPricesRequest::default()
    };
    let found = reader.prices(called("gpt-4o")).await.unwrap().prices;
    assert_eq!((found.len(), found[0].layer.as_str()), (1, "catalogue"));
    assert!(reader.prices(called("orca-77")).await.unwrap().prices.is_empty());
    let own = ListPricesRequest { layer: "project".to_owned(), ..question };
    assert!(reader.prices(own).await.unwrap().prices.is_empty());
}

#[tokio::test]
async fn wrong_questions_about_llm_spans_are_told_what_is_wrong() {
    let (_database, _daemon, _exporter, reader) = stored().await;
    let first = ListLlmSpansRequest { page_size: 1, ..all() };
    let token = reader.llm_spans(first.clone()).await.unwrap().next_page_token;
    let wrong = [
        (ListLlmSpansRequest { kind: "LLM".to_owned(), ..all() }, "kind must be one of llm, embedding"),
        (
            ListLlmSpansRequest { status: "failed".to_owned(), ..all() },
            "status must be one of unset, ok, error",
        ),
        (ListLlmSpansRequest { order_by: 99, ..all() }, "order_by"),
        (ListLlmSpansRequest { trace_id: "xyz".to_owned(), ..all() }, "trace_id"),
        (ListLlmSpansRequest { page_size: -1, ..all() }, "page_size"),
        (
            ListLlmSpansRequest { min_cost_nanos: Some(2), max_cost_nanos: Some(1), ..all() },
            "min_cost_nanos must not be more than max_cost_nanos",
        ),
        (
            ListLlmSpansRequest { min_duration: Some(Duration { seconds: -1, nanos: 0 }), ..all() },
            "min_duration",
        ),
        (ListLlmSpansRequest { start_time: END, end_time: BEGINNING, ..all() }, "end_time"),
        // The token is of a list in another order.
        (ListLlmSpansRequest { ascending: true, page_token: token.clone(), ..first.clone() }, "page_token"),
        (
            ListLlmSpansRequest {
                order_by: LlmSpanOrder::Cost.into(),
                page_token: token.clone(),
                ..first.clone()
            },
            "page_token",
        ),
        (ListLlmSpansRequest { tag: "beta".to_owned(), page_token: token, ..first }, "page_token"),
    ];
    for (request, named) in wrong {
        let status = reader.llm_spans(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains(named), "{status}");
    }
    let wrong = ListModelsRequest { order_by: 99, ..ListModelsRequest::default() };
    assert_eq!(reader.models(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    let wrong = ListPricesRequest { layer: "mine".to_owned(), ..ListPricesRequest::default() };
    let status = reader.prices(wrong).await.unwrap_err();
    assert!(status.message().contains("layer must be one of project, everyone, catalogue"), "{status}");

    let missing = [
        (get(9, CHAT), Code::NotFound, "is not stored"),
        (get(1, 99), Code::NotFound, "is not stored"),
        (get(3, PLAIN), Code::NotFound, "is no LLM span"),
        (GetLlmSpanRequest { span_id: "1".to_owned(), ..get(1, CHAT) }, Code::InvalidArgument, "span_id"),
        (GetLlmSpanRequest { trace_id: String::new(), ..get(1, CHAT) }, Code::InvalidArgument, "trace_id"),
    ];
    for (request, code, named) in missing {
        let status = reader.llm_span(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(named), "{status}");
        let GetLlmSpanRequest { trace_id, span_id, .. } = request;
        let status = reader.explained(ExplainCostRequest { trace_id, span_id }).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
    }
}
