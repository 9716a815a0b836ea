//! `observatory reprice` that is interrupted.

use std::process::Stdio;

use harness::TestDatabase;
use harness::daemon::Options;
use harness::telemetry::spans;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::Exporter;
use crate::command::{finish_of, observatory, run};
use crate::database::{count, lock, wait_for_a_blocked_writer};
use crate::llm_calls;

#[tokio::test]
async fn a_run_that_a_signal_stops_goes_on_with_the_command_that_it_tells() {
    let database = TestDatabase::new().await;
    let daemon = Options::on(database.url()).start();
    let (calls, _) = llm_calls::spans();
    Exporter::to(&daemon).await.spans(spans("chat", calls)).await.unwrap();
    let url = database.url();
    let set = ["prices", "set", "openai", "orca-77", "input=2", "output=4", "--database-url", &url];
    run(&set, &[]).await.says(0, &["1 set"]);

    let client = database.client().await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        lock(&client, "model_prices").await;
        let reprice = ["reprice", "--from", "1h", "--model", "orca*", "--database-url", &url];
        let child = observatory(&reprice, &[]).stdin(Stdio::null()).spawn().unwrap();
        wait_for_a_blocked_writer(&client, "model_prices").await;
        kill(Pid::from_raw(child.id().unwrap().cast_signed()), signal).unwrap();
        let stopped = finish_of(child).await;
        client.batch_execute("COMMIT").await.unwrap();
        stopped.says(
            130,
            &["the run stopped; this goes on there: observatory reprice --from 20", "--model 'orca*'"],
        );
        assert_eq!(stopped.stdout, "");

        let from = stopped.stderr.split(' ').skip_while(|word| *word != "--from").nth(1).unwrap().to_owned();
        assert_eq!(count(&client, "llm_runs WHERE finished_at IS NULL").await, 1);
        let again = ["reprice", "--from", &from, "--model", "orca*", "--database-url", &url];
        let changed = if signal == Signal::SIGINT { "changed 1" } else { "changed 0" };
        run(&again, &[]).await.says(0, &["looked at 3 rows", changed]);
        assert_eq!(count(&client, "llm_runs WHERE finished_at IS NULL").await, 0, "it was the same run");
    }
    assert_eq!(count(&client, "llm_runs").await, 2);
}
