use std::collections::HashSet;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;

use super::{logs, metrics, normalise, traces};

/// Every span alone, in reverse.
fn scattered(resources: &[ResourceSpans]) -> Vec<ResourceSpans> {
    let mut alone = Vec::new();
    for resource in resources {
        for scope in &resource.scope_spans {
            alone.extend(scope.spans.iter().map(|span| ResourceSpans {
                resource: Some(resource.resource.clone().unwrap_or_default()),
                scope_spans: vec![ScopeSpans { spans: vec![span.clone()], ..scope.clone() }],
                schema_url: resource.schema_url.clone(),
            }));
        }
    }
    alone.reverse();
    alone
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn grouping_and_order_are_not_seen(request in traces()) {
        let spans = normalise::spans(&request.resource_spans);
        prop_assert_eq!(&spans, &normalise::spans(&scattered(&request.resource_spans)));
        let count: usize = request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
        prop_assert_eq!(spans.len(), count);
        prop_assert_eq!(spans.iter().collect::<HashSet<_>>().len(), count, "every span has an id of its own");
    }

    #[test]
    fn no_stream_has_two_points_of_one_time(request in metrics()) {
        let points = normalise::points(&request.resource_metrics);
        prop_assert_eq!(points.iter().collect::<HashSet<_>>().len(), points.len());
    }

    #[test]
    fn every_record_is_told(request in logs()) {
        let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        let count: usize = scopes.map(|scope| scope.log_records.len()).sum();
        prop_assert_eq!(normalise::records(&request.resource_logs).len(), count);
    }
}

fn one(change: impl FnOnce(&mut ResourceSpans, &mut Span)) -> Vec<String> {
    let attribute = |key: &str| super::value::named(key, AnyValue::default());
    let mut span = Span { attributes: vec![attribute("b"), attribute("a")], ..Span::default() };
    let resource = Resource { attributes: vec![attribute("b"), attribute("a")], ..Resource::default() };
    let mut resource = ResourceSpans { resource: Some(resource), ..ResourceSpans::default() };
    change(&mut resource, &mut span);
    resource.scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    normalise::spans(&[resource])
}

#[test]
fn only_the_documented_differences_are_not_seen() {
    let plain = one(|_, _| ());
    assert_eq!(plain, one(|resource, _| resource.resource.iter_mut().for_each(|r| r.attributes.reverse())));
    assert_eq!(plain, one(|_, span| span.attributes[0].value = None));
    assert_eq!(one(|_, span| span.name = "\0".into()), one(|_, span| span.name = "\u{fffd}".into()));
    assert_ne!(plain, one(|_, span| span.attributes.reverse()));
    assert_ne!(plain, one(|_, span| span.name = " ".into()));
    assert_ne!(plain, one(|_, span| span.status = Some(Default::default())));
    assert_ne!(plain, one(|_, span| span.end_time_unix_nano = 1));
    assert_ne!(plain, one(|resource, _| resource.schema_url = "x".into()));
    assert_ne!(plain, one(|resource, _| resource.resource = None));
    assert_ne!(
        one(|_, span| span.attributes[0].key = "\0".into()),
        one(|_, span| span.attributes[0].key = "\u{fffd}".into())
    );
}
