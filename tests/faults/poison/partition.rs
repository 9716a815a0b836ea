//! An operator drops a day's partitions under load: the daemon makes them again, and stores the requests that it refused
//! meanwhile when their clients retry.

use harness::raw::{LOGS, METRICS, TRACES};
use harness::telemetry::{gauge, now, point, record, records, span, spans};
use prost::Message as _;
use tokio::task::JoinSet;

use super::{World, count};
use crate::caller::Caller;
use crate::run::Run;

const EXPORTERS: u64 = 6;
const REQUEST_RECORDS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_are_dropped_under_load_are_made_again() {
    let (run, world) = (Run::of("dropped partitions"), World::new().await);
    let mut random = run.random(0);
    let signals = [(TRACES, "trace_spans"), (LOGS, "logs"), (METRICS, "metric_data_points")];
    let mut refusals = 0;
    for round in 0..run.pick(3, 30) {
        let (_, dropped) = random.one_of(&signals);
        let mut exporting = JoinSet::new();
        for exporter in 0..EXPORTERS {
            let connection = Caller::to(&world.daemon).await;
            exporting.spawn(export(connection, (round * EXPORTERS + exporter) * 10 + 1));
        }
        // Those of yesterday too, since midnight may be near.
        let query = "SELECT partition::text FROM observatory_partitions WHERE parent = $1 \
                     AND right(partition, 8) ~ '^[0-9]{8}$' AND right(partition, 8)::date <= current_date";
        let partitions = world.client.query(query, &[dropped]).await.unwrap();
        let before = world.count(dropped).await;
        for partition in &partitions {
            let table: String = partition.get(0);
            world.client.batch_execute(&format!("DROP TABLE IF EXISTS {table}")).await.unwrap();
        }
        for refused in exporting.join_all().await {
            refusals += refused;
        }
        // What is sent from now on is stored at once, and once.
        let after = count(&world.client, dropped).await;
        let first = u64::from(u32::MAX) + round * 1_000;
        refusals += export(Caller::to(&world.daemon).await, first).await;
        assert_eq!(count(&world.client, dropped).await, after + 3 * REQUEST_RECORDS as usize, "{dropped}");
        println!("{dropped} dropped with {before} rows; {after} stored since; {refusals} refusals so far");
    }
}

/// Sends three requests of each signal, and each until it is taken. Gives how often one was refused.
async fn export(exporter: Caller, first: u64) -> u32 {
    let mut refusals = 0;
    for request in first..first + 3 {
        let ids = request * REQUEST_RECORDS + 1..=(request + 1) * REQUEST_RECORDS;
        let of_spans = spans("shop", ids.clone().map(|id| span(request.into(), id)).collect());
        let of_logs = records("shop", ids.clone().map(|id| record(&id.to_string())).collect());
        let points = ids.map(|id| point(now() + id, 1)).collect();
        let of_points = gauge(&format!("gauge {request}"), points);
        let bodies = [
            (TRACES, of_spans.encode_to_vec()),
            (LOGS, of_logs.encode_to_vec()),
            (METRICS, of_points.encode_to_vec()),
        ];
        for (method, body) in bodies {
            let (refused, answer) = exporter.send_until_taken(method, body.into()).await;
            assert_eq!(answer.unwrap(), None);
            refusals += refused;
        }
    }
    refusals
}
