#![no_main]

libfuzzer_sys::fuzz_target!(|request: &[u8]| harness::differential::traces(request));
