//! Which crate may use which. An undeclared dependency does not compile; these tests hold the declared ones to the plan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const PREFIX: &str = "llm-observatory-";

/// Each crate and those of ours that it may use.
const PLAN: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("core", &[]),
    ("proto", &[]),
    ("private-postgres", &["config"]),
    ("genai", &["core"]),
    ("storage", &["config", "core", "genai"]),
    ("ingest", &["config", "core", "genai", "storage"]),
    ("query", &["config", "core", "genai", "storage"]),
    ("server", &["config", "core", "genai", "ingest", "private-postgres", "proto", "query", "storage"]),
];

/// Libraries that only these crates know.
const GUARDED: &[(&[&str], &[&str])] = &[
    (&["tokio-postgres", "tokio-postgres-rustls", "bb8", "bb8-postgres", "redis", "refinery"], &["storage"]),
    (&["figment", "serde_yaml_ng", "toml"], &["config"]),
    (&["clap", "axum"], &["server"]),
    (&["tonic", "tonic-prost", "tonic-health", "tonic-reflection", "tonic-types"], &["server", "proto"]),
];

/// Every crate of the house with the names of its direct, normal dependencies. Tests and benches stand outside of it.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = crate::metadata();
    let houses = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["manifest_path"].as_str().unwrap().contains("/crates/"));
    let normal = |dependency: &&Value| dependency["kind"].is_null();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    houses
        .map(|package| {
            let dependencies =
                package["dependencies"].as_array().unwrap().iter().filter(normal).map(name).collect();
            (name(package).trim_start_matches(PREFIX).to_owned(), dependencies)
        })
        .collect()
}

#[test]
fn the_plan_names_every_crate() {
    let planned: BTreeSet<_> = PLAN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(dependencies().into_keys().collect::<BTreeSet<_>>(), planned);
}

#[test]
fn crates_enter_only_the_rooms_that_they_may() {
    let dependencies = dependencies();
    for (name, allowed) in PLAN {
        let ours = dependencies[*name].iter().filter_map(|dependency| dependency.strip_prefix(PREFIX));
        let strays: Vec<_> = ours.filter(|dependency| !allowed.contains(dependency)).collect();
        assert!(strays.is_empty(), "{name} must not use {strays:?}");
    }
}

#[test]
fn some_libraries_are_known_to_few() {
    for (name, dependencies) in dependencies() {
        for (libraries, knowers) in GUARDED {
            let strays: Vec<_> =
                libraries.iter().filter(|library| dependencies.contains(**library)).collect();
            assert!(
                strays.is_empty() || knowers.contains(&name.as_str()),
                "{name} must not use {strays:?}: only {knowers:?} may"
            );
        }
    }
}

#[test]
fn words_and_meaning_do_no_input_or_output() {
    let dependencies = dependencies();
    for pure in ["core", "genai"] {
        let strays: Vec<_> = ["tokio", "tracing", "time", "prost"]
            .into_iter()
            .filter(|name| dependencies[pure].contains(*name))
            .collect();
        assert!(strays.is_empty(), "{pure} must not use {strays:?}");
    }
}
