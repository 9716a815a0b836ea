//! What stands in several files is the same in all of them: the version of Rust, and the licence.

use std::fs::read_to_string;

use serde_json::Value;

/// What stands between `before` and `after` in a file of the repository.
fn quoted(file: &str, before: &str, after: char) -> String {
    let text = read_to_string(crate::root().join(file)).unwrap();
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{file} does not say {before}"));
    rest.split(after).next().unwrap().to_owned()
}

#[test]
fn one_version_of_rust_builds_everything() {
    let version = quoted("rust-toolchain.toml", "channel = \"", '"');
    assert_eq!(quoted("Dockerfile", "FROM rust:", '-'), version);
    // The oldest Rust that we promise to build with is the one that every test runs on.
    let oldest = quoted("Cargo.toml", "rust-version = \"", '"');
    assert_eq!(version.rsplit_once('.').unwrap().0, oldest);
    let readme = read_to_string(crate::root().join("README.md")).unwrap();
    assert!(
        readme.contains(&format!("Rust {oldest} or newer")),
        "README.md names another Rust than {oldest}"
    );
}

#[test]
fn every_crate_has_the_licence_of_the_repository() {
    assert_eq!(quoted("LICENSE", "Apache License\n", ',').trim(), "Version 2.0");
    let metadata = crate::metadata();
    for package in metadata["packages"].as_array().unwrap() {
        assert_eq!(package["license"], Value::from("Apache-2.0"), "{}", package["name"]);
    }
}
