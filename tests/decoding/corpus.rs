//! The corpus of the fuzz targets, in tests/fuzz/corpus: seeds that `WRITE_CORPUS=1` writes again, and inputs that a target
//! failed on once, whose names begin with `found-`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::differential;

use crate::seeds;

type Check = fn(&[u8]);

const TARGETS: [(&str, Check); 3] =
    [("traces", differential::traces), ("metrics", differential::metrics), ("logs", differential::logs)];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn files(target: &str) -> BTreeMap<String, Vec<u8>> {
    let read =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
    fs::read_dir(folder(target)).unwrap().map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn every_file_passes() {
    for (target, check) in TARGETS {
        for (name, request) in files(target) {
            println!("{target}/{name}");
            check(&request);
        }
    }
}

#[test]
fn the_seeds_are_what_this_program_writes() {
    let write = std::env::var_os("WRITE_CORPUS").is_some();
    for (target, _) in TARGETS {
        let seeds: BTreeMap<_, _> =
            seeds::of(target).into_iter().map(|(name, request)| (name.to_owned(), request)).collect();
        if write {
            fs::create_dir_all(folder(target)).unwrap();
            seeds.iter().for_each(|(name, request)| fs::write(folder(target).join(name), request).unwrap());
        }
        let mut files = files(target);
        files.retain(|name, _| !name.starts_with("found-"));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&files), names(&seeds), "{target}: run with WRITE_CORPUS=1");
        assert!(files == seeds, "{target}: run with WRITE_CORPUS=1");
    }
}
