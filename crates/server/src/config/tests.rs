use llm_observatory_config::{ConfigError, Flag, Layers};
use llm_observatory_storage::config::ENVIRONMENT;

use super::*;

fn load(layers: &Layers) -> Result<Config, ConfigError> {
    llm_observatory_config::load(layers, &names())
}

fn layers(environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Layers {
    Layers {
        file: None,
        environment: environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        flags: flags.iter().map(|(path, value)| Flag { name: path, path, value: (*value).into() }).collect(),
    }
}

#[test]
fn the_defaults_are_those_of_a_laptop() {
    let config = load(&Layers::default()).unwrap();
    assert_eq!(config.ingest_listen.to_string(), "127.0.0.1:4317");
    assert_eq!(config.query_listen.to_string(), "127.0.0.1:4320");
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:9464");
    assert!(!config.storage.names_a_database());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("observatory.yaml");
    std::fs::write(&file, "role: ingest\nshutdown_s: 3\ningest:\n  writers: 3\n  linger_ms: 9\n").unwrap();
    let mut layers = layers(
        &[
            ("DATABASE_URL", "postgresql://localhost/o"),
            ("DB_PASSWORD", "0123"),
            ("OBSERVATORY_INGEST__WRITERS", "4"),
            ("OBSERVATORY_ROLE", "query"),
            ("OBSERVATORY_BIN", "/somewhere"),
            ("REDIS_URL", ""),
        ],
        &[("role", "all")],
    );
    layers.file = Some(file);
    let config = load(&layers).unwrap();
    assert_eq!((config.role, config.ingest.writers, config.ingest.linger_ms), (Role::All, 4, 9));
    assert_eq!(config.shutdown_s, 3);
    assert_eq!(config.storage.database.password.as_ref().map(|secret| secret.expose()), Some("0123"));
    assert!(config.storage.redis.url.is_none(), "an empty variable is not set");
}

#[test]
fn every_mistake_is_named_at_once() {
    let error =
        load(&layers(&[("OBSERVATORY_INGEST__WRITER", "1"), ("OBSERVATORY_SHUTDOWN_S", "soon")], &[]));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ingest.writer is not a setting; known settings: "), "{error}");
    assert!(error.contains("shutdown_s must be a whole number"), "{error}");

    let error = load(&layers(
        &[("OBSERVATORY_INGEST__WRITERS", "0"), ("DB_MAX_CONNECTIONS", "0"), ("OBSERVATORY_ROLE", "query")],
        &[("query_listen", "0.0.0.0:4320")],
    ));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("ingest.writers must be at least 1"), "{error}");
    assert!(error.contains("storage.database.max_connections must be at least 1"), "{error}");
    assert!(error.contains("query_listen is reachable from other machines"), "{error}");
    assert!(error.contains("role splits the observatory"), "{error}");
}

#[test]
fn an_unreadable_value_is_named_with_its_setting_and_an_example() {
    let environment = [
        ("OBSERVATORY_ROLE", "foo"),
        ("OBSERVATORY_QUERY_LISTEN", "4320"),
        ("OBSERVATORY_LOG_FORMAT", "xml"),
    ];
    let error = load(&layers(&environment, &[("ingest_listen", "4317"), ("log", "info=loud")])).unwrap_err();
    let error = error.to_string();
    for told in [
        "role must be one of: all, ingest, query (from OBSERVATORY_ROLE)",
        "ingest_listen must be written like 127.0.0.1:4317 (from ingest_listen)",
        "query_listen must be written like 127.0.0.1:4320 (from OBSERVATORY_QUERY_LISTEN)",
        "log_format must be one of: text, json (from OBSERVATORY_LOG_FORMAT)",
        "log is not a filter; write it like info",
    ] {
        assert!(error.contains(told), "{told} is not in {error}");
    }
}

#[test]
fn listening_beyond_loopback_must_be_allowed() {
    let flags = [("ingest_listen", "0.0.0.0:4317"), ("allow_unauthenticated", "true")];
    assert!(load(&layers(&[], &flags)).is_ok());
}

#[test]
fn the_example_environment_names_every_setting_with_its_default() {
    let example = include_str!("../../../../.env.example");
    let shown: std::collections::BTreeMap<_, _> =
        example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).collect();
    let default = serde_json::to_value(Config::default()).unwrap();
    let mut missing = Vec::new();
    each_leaf("", &default, &mut |path, value| {
        let usual = ENVIRONMENT.iter().find(|(_, setting)| path == format!("storage.{setting}"));
        let ours = format!("OBSERVATORY_{}", path.replace('.', "__").to_uppercase());
        let name = usual.map_or(ours.as_str(), |(name, _)| name);
        let expected = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match shown.get(name) {
            // An absent default and one that depends on the machine are shown by an example, or empty.
            Some(_) if value.is_null() || path == "data_dir" => {}
            Some(text) if *text == expected => {}
            _ => missing.push(format!("#{name}={expected}")),
        }
    });
    assert!(missing.is_empty(), "add to .env.example:\n{}", missing.join("\n"));
}

fn each_leaf(path: &str, value: &serde_json::Value, visit: &mut impl FnMut(&str, &serde_json::Value)) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                each_leaf(&path, value, visit);
            }
        }
        leaf => visit(path, leaf),
    }
}
