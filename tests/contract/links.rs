//! Links in our documents lead somewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every document that is part of the repository, whether committed already or not.
fn documents() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(crate::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).unwrap();
    paths.lines().map(|path| crate::root().join(path)).filter(|path| path.is_file()).collect()
}

/// The targets of `[text](target)` outside of code, without their anchors.
fn targets(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let prose = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty())
        .collect()
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

fn leads_somewhere(document: &Path, target: &str) -> bool {
    // A path of Rust items, as rustdoc resolves them, is checked by rustdoc.
    target.contains("::") || document.parent().unwrap().join(target).exists()
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let documents = documents();
    assert!(documents.iter().any(|document| document.ends_with("crates/storage/README.md")), "{documents:?}");
    let mut broken = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let dead = targets(&text)
            .into_iter()
            .filter(|target| !is_elsewhere(target) && !leads_somewhere(&document, target));
        broken.extend(dead.map(|target| format!("{}: {target}", document.display())));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn links_are_told_from_code() {
    let text = "see [a](b.md#top), [c](https://example.org) and `x`\n```\n[no](link)\n```\n[d](#here) [e](f/g.md \"title\")";
    assert_eq!(targets(text), ["b.md", "https://example.org", "f/g.md"]);
}

/// The items that a text names right behind a link to their file, as in "[`request.rs`](src/request.rs), `hash`".
fn items(text: &str) -> Vec<(&str, &str)> {
    let item = |rest| -> Option<(&str, &str)> {
        let (file, rest): (&str, &str) = str::split_once(rest, ')')?;
        let (path, _) = rest.strip_prefix(',')?.trim_start().strip_prefix('`')?.split_once('`')?;
        Some((file, path.rsplit("::").next()?))
    };
    text.split("](").skip(1).filter_map(item).collect()
}

#[test]
fn the_walk_names_items_that_are_there() {
    let text = std::fs::read_to_string(crate::root().join("ARCHITECTURE.md")).unwrap();
    let items = items(&text);
    assert!(items.contains(&("crates/ingest/src/request.rs", "hash")), "{items:?}");
    for (file, item) in items {
        let source = std::fs::read_to_string(crate::root().join(file)).unwrap();
        let is_defined = ["fn", "struct", "enum", "trait"].iter().any(|kind| {
            source.split(&format!("{kind} {item}")).skip(1).any(|rest| rest.starts_with(['(', '<', ' ', ';']))
        });
        assert!(is_defined, "ARCHITECTURE.md names {item} of {file}");
    }
}
