# make demo [ARGS="--once"]   a private PostgreSQL, the main job on demo claims, then the service on 127.0.0.1:8080
# make test                   all tests, on a private PostgreSQL
# make year [CLAIMS=30000]    a simulated year in long form, with an independent auditor; see tests/README.md
# make lint                   all that CI checks beside the tests
# make openapi                api-spec/ and the table in docs/configuration.md written anew from the code
# make bench [ARGS="intake"]  how fast it is on this machine; see crates/bench/README.md
# make fuzz                   schemathesis against the demo, with a token of each role

# Where rustup puts cargo, for a shell that was open before it did.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: demo test year lint openapi bench fuzz fuzz-bundles

CLAIMS ?= 30000
DEBUG := $(or $(CARGO_TARGET_DIR),target)/debug

demo:
	.ci/ensure-postgres
	cargo run --release --locked --bin huanxin -- demo $(ARGS)

test:
	.ci/ensure-postgres
	cargo test --workspace --locked $(ARGS)

year:
	.ci/ensure-postgres
	YEAR_CLAIMS=$(CLAIMS) cargo test --locked -p tests year:: -- --nocapture

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo build --quiet --workspace --all-targets --locked # as for the tests, so that nothing is built twice
	$(DEBUG)/xtask tidy
	$(DEBUG)/xtask openapi --check
	$(DEBUG)/xtask licences
	.ci/check-dependencies
	.ci/check-compose

openapi:
	cargo run --quiet --locked -p xtask -- openapi

bench:
	.ci/ensure-postgres
	cargo build --release --locked --bin huanxin
	cargo run --release --locked -p bench -- $(ARGS)

# Bundles that somebody has been at, FUZZ_CASES of them.
fuzz-bundles:
	FUZZ_CASES=$${FUZZ_CASES:-100000} cargo test --release --locked -p tests -- --exact bundles::mutations::no_bundle_makes_the_check_panic

fuzz:
	.ci/ensure-postgres
	.ci/fuzz-api $(ARGS)
