# Tidemill. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build check test format entities compiler clean

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | awk -F': ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

## run: build, then serve on 127.0.0.1:8080 with an example workspace (sign-in and links are printed)
run: compiler
	cargo build --release --locked -p tidemill
	./target/release/tidemill serve --examples

## build: release binaries in target/release: tidemill, api, scheduler, worker, migration
build: compiler
	cargo build --release --locked

## check: the gate: format, clippy, rustdoc, dependency audit, unused dependencies, generated files unchanged
check: compiler
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked
	.ci/install auditors
	.ci/audit
	cargo machete
	cargo run --quiet --locked -p migration --features codegen --bin generate-entities -- --check

## test: all tests, on SQLite and on PostgreSQL (TIDEMILL_TEST_POSTGRES_URL, or a throw-away server)
test: compiler
	cargo build --workspace --all-targets --locked
	.ci/with-postgres .ci/test

## format: formats the code
format:
	cargo fmt --all

## entities: generates crates/entity and the ER diagram from the migrated schema
entities:
	cargo run --quiet -p migration --features codegen --bin generate-entities

compiler:
	@.ci/install compiler

## clean: removes what was built
clean:
	cargo clean
