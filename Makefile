# LLM Observatory. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help run test test-faults fuzz lint fmt generate prices interop interop-genai bench

CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.1
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build the daemon and run it on a private PostgreSQL; flags go in ARGS="--data-dir ..."
	deploy/local/install run
	cargo build --release --locked -p llm-observatory-server
	exec ./target/release/observatory serve $(ARGS)

test: ## run all tests of the workspace, on PostgreSQL and Redis servers that they start
	deploy/local/install test
	cargo build --locked -p llm-observatory-server
	cargo test --workspace --locked

test-faults: ## the fault tests at their full length: kills, cuts, floods, repetitions (up to 15 minutes)
	deploy/local/install test
	cargo build --profile quick --locked -p llm-observatory-server
	OBSERVATORY_BIN=$${OBSERVATORY_BIN:-$(CURDIR)/target/quick/observatory} OBSERVATORY_TEST_FAULTS=full \
		cargo test --locked -p llm-observatory-tests --test faults -- --test-threads=1 --nocapture

# Inputs that reach new code are kept in target/, and the next run starts from them too. Our code has no unsafe and needs
# no sanitizer, so stable Rust can build it.
fuzz: ## decode random requests of each signal for FUZZ_SECONDS (60), and compare with prost; seeded by FUZZ_SEED (1)
	deploy/local/install fuzz
	@cargo fuzz --version 2>/dev/null | grep -qxF 'cargo-fuzz $(CARGO_FUZZ)' \
		|| cargo install cargo-fuzz --locked --version $(CARGO_FUZZ)
	for target in traces metrics logs; do \
		mkdir -p target/fuzz-corpus/$$target; \
		cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none $$target \
			target/fuzz-corpus/$$target tests/fuzz/corpus/$$target -- -seed=$(FUZZ_SEED) \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=1024 || exit 1; \
	done

lint: ## formatting, clippy, and cargo-deny's rules on dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo deny --version 2>/dev/null | grep -qxF 'cargo-deny $(CARGO_DENY)' \
		|| cargo install cargo-deny --locked --version $(CARGO_DENY)
	cargo fetch --locked
	cargo deny --offline check bans licenses sources

fmt: ## format the code
	cargo fmt --all

generate: ## write the Rust code of proto/ anew
	REGENERATE=1 cargo test --locked -p llm-observatory-proto

# The newest prices: raise the versions in crates/genai/prices/requirements.txt, and the day in its first line.
prices: ## make the catalogue of prices anew, from the packages that crates/genai/prices/requirements.txt pins
	python3 -m venv --clear target/prices
	target/prices/bin/pip download --quiet --no-deps --only-binary :all: --dest target/prices/wheels \
		--requirement crates/genai/prices/requirements.txt
	target/prices/bin/python crates/genai/prices/make.py target/prices/wheels

interop: ## export from Python and JavaScript SDKs and an OpenTelemetry Collector, and read back
	deploy/local/install interop
	cargo build --profile quick --locked -p llm-observatory-server
	tests/interop/run

# Which ones: make interop-genai CASES="openinference-openai vercel-7-openai/stream", or CASES=--all.
interop-genai: ## play real GenAI instrumentations against fakes of the providers, and compare what the daemon says; CASES=...
	deploy/local/install interop-genai
	cargo build --profile quick --locked -p llm-observatory-server
	tests/interop/genai/live $(CASES)

bench: ## measure ingest throughput with realistic spans
	deploy/local/install run
	cargo build --release --locked -p llm-observatory-server
	cargo build --release --locked -p llm-observatory-benches --bin load
	benches/run
