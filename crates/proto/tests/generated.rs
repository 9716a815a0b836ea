//! Compares `src/generated` with the output of the generators. With `REGENERATE=1`, writes it first.

#![expect(clippy::unwrap_used, reason = "tests and their helpers panic on errors")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use prost::Message as _;
use prost_types::FileDescriptorSet;

const MANIFEST_DIR: &str = env!("CARGO_MANIFEST_DIR");
const HOW_TO: &str = "REGENERATE=1 cargo test -p llm-observatory-proto --test generated";
const DESCRIPTORS: &str = "descriptors.binpb";
const OURS: [&str; 5] = [
    "llm_observatory/v1/ingest.proto",
    "llm_observatory/v1/llm.proto",
    "llm_observatory/v1/logs.proto",
    "llm_observatory/v1/metrics.proto",
    "llm_observatory/v1/traces.proto",
];
const COLLECTOR: [&str; 3] = [
    "opentelemetry/proto/collector/logs/v1/logs_service.proto",
    "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
];

#[test]
fn checked_in_code_equals_generated_code() {
    let directory = Path::new(MANIFEST_DIR).join("src/generated");
    let fresh = generate();
    if env::var_os("REGENERATE").is_some_and(|value| value == "1") {
        fs::create_dir_all(&directory).unwrap();
        for stale in read(&directory).keys().filter(|name| !fresh.contains_key(*name)) {
            fs::remove_file(directory.join(stale)).unwrap();
        }
        for (name, content) in &fresh {
            fs::write(directory.join(name), content).unwrap();
        }
    }

    let found = read(&directory);
    let names = || fresh.keys().chain(found.keys());
    let differing: BTreeSet<&String> = names().filter(|name| fresh.get(*name) != found.get(*name)).collect();
    assert!(differing.is_empty(), "src/generated is out of date: {differing:?}. Write it anew: {HOW_TO}");
}

#[test]
fn descriptors_hold_all_services_and_no_source_info() {
    let set = FileDescriptorSet::decode(&*generate()[DESCRIPTORS]).unwrap();
    assert!(set.file.iter().all(|file| file.source_code_info.is_none()));

    let services = set.file.iter().flat_map(|file| {
        file.service.iter().flat_map(move |service| {
            service
                .method
                .iter()
                .map(move |rpc| format!("{}.{}/{}", file.package(), service.name(), rpc.name()))
        })
    });
    let mut services: Vec<String> = services.collect();
    services.sort();
    assert_eq!(
        services,
        [
            "llm_observatory.v1.IngestService/GetIngestStats",
            "llm_observatory.v1.LlmService/ExplainCost",
            "llm_observatory.v1.LlmService/GetLlmSpan",
            "llm_observatory.v1.LlmService/ListLlmSpans",
            "llm_observatory.v1.LlmService/ListModels",
            "llm_observatory.v1.LlmService/ListPrices",
            "llm_observatory.v1.LogService/ListLogs",
            "llm_observatory.v1.MetricService/ListDataPoints",
            "llm_observatory.v1.MetricService/ListMetrics",
            "llm_observatory.v1.TraceService/GetTrace",
            "llm_observatory.v1.TraceService/ListTraces",
            "opentelemetry.proto.collector.logs.v1.LogsService/Export",
            "opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            "opentelemetry.proto.collector.trace.v1.TraceService/Export",
        ]
    );
}

/// The generated content of all files of `src/generated`, by name.
fn generate() -> BTreeMap<String, Vec<u8>> {
    let scratch = tempfile::tempdir().unwrap();
    // With source info, which holds the comments. Without the collector services, since no crate uses their Rust code.
    tonic_prost_build::configure()
        .extern_path(".opentelemetry.proto", "::opentelemetry_proto::tonic")
        .out_dir(scratch.path())
        .compile_fds(compile(true, &OURS))
        .unwrap();
    let mut files = read(scratch.path());
    let descriptors = compile(false, &[&OURS[..], &COLLECTOR[..]].concat());
    files.insert(DESCRIPTORS.into(), descriptors.encode_to_vec());
    files
}

/// Compiles the named `.proto` files and all files that they import.
fn compile(source_info: bool, names: &[&str]) -> FileDescriptorSet {
    let ours = Path::new(MANIFEST_DIR).join("../../proto");
    protox::Compiler::new([ours, otlp_directory()])
        .and_then(|mut compiler| {
            compiler.include_imports(true).include_source_info(source_info).open_files(names)?;
            Ok(compiler.file_descriptor_set())
        })
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// The directory of the OTLP `.proto` files, inside the package `opentelemetry-proto` that this crate uses.
fn otlp_directory() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        // Only packages for this host, so that cargo fetches no others.
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=host-tuple"])
        .current_dir(MANIFEST_DIR)
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));

    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "opentelemetry-proto").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.with_file_name("src").join("proto/opentelemetry-proto")
}

/// The content of all files of a directory, by name.
fn read(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect()
}
