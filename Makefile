# make demo [ARGS="--once"]   a private PostgreSQL, the main job on demo claims, then the service on 127.0.0.1:8080
# make test                   all tests, on a private PostgreSQL
# make check                  the fast gate for every change: format, clippy, unit tests, life and http tests
# make lint                   all that CI checks beside the tests
# make long                   what takes longer than CI should: many kills, many seeds, many mutations
# make year [CLAIMS=30000]    a simulated year in long form, with an independent auditor; see tests/README.md
# make openapi                api-spec/ and the table in docs/configuration.md written anew from the code
# make bench [ARGS="intake"]  how fast it is on this machine; see crates/bench/README.md
# make fuzz                   schemathesis against the demo, with a token of each role

# Where rustup puts cargo, for a shell that was open before it did.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: demo test check lint long year openapi bench fuzz fuzz-bundles

CLAIMS ?= 30000
DEBUG := $(or $(CARGO_TARGET_DIR),target)/debug

# The profile `demo` compiles in half the time of `release`; see Cargo.toml.
demo:
	.ci/ensure-postgres
	cargo run --profile demo --locked --bin huanxin -- demo $(ARGS)

# All targets, and the doc tests of the one crate that has some: every other would be linked once more to say so.
test:
	.ci/ensure-postgres
	cargo test --workspace --all-targets --locked $(ARGS)
	cargo test --doc --locked -p words

# One set of packages in every line: another set has other features, and everything would be built again.
check:
	.ci/ensure-postgres
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --quiet --workspace --lib --bins --locked
	cargo test --quiet --workspace --test all --locked -- life:: http::

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

long: year fuzz-bundles
	.ci/kill-postgres 20
	for seed in 1 2 3 4 5; do HX_SEED=$$seed cargo test --workspace --test all --locked -- any_order:: year:: || exit 1; done
	.ci/fuzz-api 20

openapi:
	cargo run --quiet --locked -p xtask -- openapi

bench:
	.ci/ensure-postgres
	cargo build --release --locked --bin huanxin
	cargo run --release --locked -p bench -- $(ARGS)

# Bundles changed at random, FUZZ_CASES of them.
fuzz-bundles:
	FUZZ_CASES=$${FUZZ_CASES:-100000} cargo test --release --locked -p tests -- --exact bundles::mutations::no_bundle_makes_the_check_panic

fuzz:
	.ci/ensure-postgres
	.ci/fuzz-api $(ARGS)
