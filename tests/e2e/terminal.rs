//! What commands print into a terminal, a closed pipe and a full disk.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use harness::TestDatabase;
use harness::daemon::{Daemon, Options};
use harness::telemetry::{span, spans, trace_id};
use nix::pty::{OpenptyResult, Winsize, openpty};
use tokio::process::Command;

use crate::client::Exporter;
use crate::command::{closed_port, finish, observatory};

/// A daemon with one trace of one span.
async fn daemon(database: &TestDatabase) -> Daemon {
    let daemon = Options::on(database.url()).start();
    let mut span = span(1, 1);
    span.name = "POST /v1/chat/completions".to_owned();
    Exporter::to(&daemon).await.spans(spans("shop", vec![span])).await.unwrap();
    daemon
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_a_command_quietly_and_a_full_disk_loudly() {
    let database = TestDatabase::new().await;
    let daemon = daemon(&database).await;
    let (url, id) = (database.url(), hex::encode(trace_id(1)));
    let query = ["query", "--query-address", daemon.query()];
    let commands = [
        vec!["stats", "--ingest-address", daemon.ingest()],
        vec!["stats", "--ingest-address", daemon.ingest(), "--format", "json"],
        [&query[..], &["traces"]].concat(),
        [&query[..], &["trace", &id, "--format", "json"]].concat(),
        vec!["check", "--database-url", &url],
        vec!["migrate", "status", "--database-url", &url],
        vec!["migrate", "up", "--database-url", &url],
    ];
    for arguments in commands {
        let mut command = observatory(&arguments, &[]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        command.stdout(writer);
        let piped = finish(command).await;
        assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""), "{arguments:?}");

        let mut command = observatory(&arguments, &[]);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        let full = finish(command).await;
        full.says(1, &["can't write to standard output: No space left on device"]);
        assert_eq!(full.stderr.matches("os error").count(), 1, "{full:?}");
    }
}

/// A terminal that is `columns` wide: our end of it, and the command's.
fn terminal(columns: u16) -> (File, OwnedFd) {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
    (master.into(), slave)
}

/// Everything that was written to the terminal, once the command has ended.
async fn written(mut command: Command, mut terminal: File) -> String {
    let mut child = command.spawn().unwrap();
    drop(command); // and with it our copy of the command's end
    child.wait().await.unwrap();
    let mut text = Vec::new();
    // Linux ends a terminal whose other end is closed with an error.
    let _ = terminal.read_to_end(&mut text);
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn ids_stay_whole_in_a_terminal_of_any_width() {
    let database = TestDatabase::new().await;
    let daemon = daemon(&database).await;
    let (trace, span) = (hex::encode(trace_id(1)), "0000000000000001");
    let show = async |what: &[&str], columns| {
        let (ours, theirs) = terminal(columns);
        let mut command = observatory(&[&["query", "--query-address", daemon.query()], what].concat(), &[]);
        command.stdout(theirs);
        written(command, ours).await
    };
    for columns in [80, 72, 200, 0] {
        let traces = show(&["traces"], columns).await;
        assert!(traces.lines().any(|line| line.starts_with(&trace)), "{columns}:\n{traces}");
        let spans = show(&["trace", &trace], columns).await;
        assert!(spans.lines().any(|line| line.contains(span)), "{columns}:\n{spans}");
        for line in traces.lines().chain(spans.lines()) {
            assert!(columns == 0 || line.len() <= columns.into(), "{columns}: {line}");
        }
    }
    assert_eq!(show(&["traces"], 0).await.lines().count(), 2, "a terminal that knows no width wraps nothing");
}

#[tokio::test]
async fn log_lines_have_colours_in_a_terminal_unless_no_color_is_set() {
    let url = format!("postgresql://me@{}/telemetry", closed_port());
    let log = async |environment: &[(&str, &str)]| {
        let (ours, theirs) = terminal(80);
        let twice = ("OBSERVATORY_STORAGE__CONNECT_RETRY__ATTEMPTS", "2");
        let environment = [&[twice], environment].concat();
        let mut command = observatory(&["migrate", "--database-url", &url], &environment);
        command.stdout(Stdio::null()).stderr(theirs);
        let log = written(command, ours).await;
        assert!(log.contains("trying again"), "{log}");
        log
    };
    assert!(log(&[]).await.contains("\u{1b}["));
    assert!(!log(&[("NO_COLOR", "1")]).await.contains("\u{1b}["));
}
