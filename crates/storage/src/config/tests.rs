use super::*;

fn vars(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_environment_names_the_database() {
    let config = StorageConfig::from_vars(vars(&[
        ("DB_HOST", "db.internal"),
        ("DB_PORT", "6432"),
        ("DB_PASSWORD", "12345"),
        ("DB_SSL_MODE", "verify-full"),
        ("OBSERVATORY_STORAGE__WRITER__BATCH_ROWS", "50"),
        ("HOME", "/root"),
    ]));
    let config = config.expect("valid");
    assert_eq!(config.database.host.as_deref(), Some("db.internal"));
    assert_eq!(config.database.port, 6432);
    assert_eq!(config.database.password, Some(Secret::new("12345")), "digits alone are still a text");
    assert_eq!(config.database.ssl_mode, SslMode::VerifyFull);
    assert_eq!(config.writer.batch_rows, 50);
    assert!(!format!("{config:?}").contains("12345"), "secrets do not print");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let error = StorageConfig::from_vars(vars(&[
        ("DB_PORT", "five"),
        ("DB_MAX_CONNECTIONS", "-1"),
        ("OBSERVATORY_STORAGE__WRITER__BATCH_SIZE", "1"),
    ]))
    .unwrap_err()
    .to_string();
    assert!(error.contains("database.port must be a whole number"), "{error}");
    assert!(error.contains("database.max_connections must be a whole number"), "{error}");
    assert!(
        error.contains(
            "writer.batch_size is not a setting; known settings: batch_rows, max_rows, method (from OBSERVATORY_"
        ),
        "{error}"
    );

    let error = StorageConfig::from_vars(vars(&[
        ("DATABASE_URL", "mysql://secret@host"),
        ("DB_MIN_CONNECTIONS", "11"),
        ("REDIS_URL", "nonsense"),
    ]))
    .unwrap_err()
    .to_string();
    assert!(error.contains("database.url is not a PostgreSQL URL"), "{error}");
    assert!(error.contains("database.min_connections must not be more"), "{error}");
    assert!(error.contains("redis.url is not a Redis URL"), "{error}");
    assert!(!error.contains("secret@host"), "{error}");
}

#[test]
fn a_password_alone_is_a_server_on_this_machine() {
    assert!(!StorageConfig::from_vars([]).unwrap().names_a_database());
    let config = StorageConfig::from_vars(vars(&[("DB_PASSWORD", "postgres")])).unwrap();
    assert!(config.names_a_database());
    assert_eq!(config.database.public_url(), "postgresql://postgres@localhost:5432/postgres");
    assert!(StorageConfig::from_vars(vars(&[("DB_PORT", "6432")])).unwrap().names_a_database());
}

#[test]
fn yaml_toml_and_json_set_the_same_settings() {
    let dir = std::env::temp_dir().join(format!("observatory-config-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (name, text) in [
        ("a.yaml", "database:\n  host: h\n  port: 1234\nwriter:\n  method: copy\n"),
        ("a.toml", "[database]\nhost = \"h\"\nport = 1234\n[writer]\nmethod = \"copy\"\n"),
        ("a.json", r#"{"database": {"host": "h", "port": 1234}, "writer": {"method": "copy"}}"#),
    ] {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        let config = StorageConfig::from_file(&path).unwrap();
        assert_eq!(config.database.port, 1234, "{name}");
        assert_eq!(config.writer.method, WriteMethod::Copy, "{name}");
        assert_eq!(config.database.address(), "postgres at h:1234", "{name}");
    }
    std::fs::write(dir.join("bad.toml"), "[database\n").unwrap();
    assert!(matches!(StorageConfig::from_file(dir.join("bad.toml")), Err(ConfigError::Syntax { .. })));
    assert!(matches!(StorageConfig::from_file(dir.join("absent.toml")), Err(ConfigError::File { .. })));
    std::fs::remove_dir_all(&dir).unwrap();
}
