# Two commands do everything: `make demo` runs the main job on the sandbox, `make test` the tests.
# Both install what they need first (apt, pip, cargo), say what they do, and are safe to repeat.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One target directory outside the clone, so that a fresh clone builds what changed and no more.
CACHE := /var/cache/tidewalk
export CARGO_TARGET_DIR ?= $(shell mkdir -p $(CACHE)/target 2>/dev/null && test -w $(CACHE)/target && echo $(CACHE)/target || echo $(CURDIR)/target)
TIDEWALK := $(CARGO_TARGET_DIR)/debug/tidewalk

# What `cargo clippy -- -D warnings` does, on the dependencies that the tests need anyway: by itself it
# compiles all of them once more (8 of 20 minutes on a new machine).
CLIPPY := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__ CARGO_PROFILE_DEV_DEBUG=0

# Most of a test on the sandbox is waiting for it.
export RUST_TEST_THREADS ?= 4

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.PHONY: setup
setup: ## Install what is missing: packages, Docker Engine, the emulator
	@scripts/setup.sh

.PHONY: build
build: ## Build the program
	cargo build --locked

.PHONY: demo
demo: setup build ## Run the main job on the sandbox: up, plan, apply, drift, heal, destroy
	@scripts/demo.sh $(TIDEWALK)

.PHONY: test
test: setup lint ## Run all tests
	@scripts/setup.sh tests
	cargo test --locked

.PHONY: lint
lint: ## Check format and lints
	cargo fmt --all --check
	@echo "clippy: all targets"
	@$(CLIPPY) cargo build --locked --tests

.PHONY: deny
deny: ## Check licences, bans and sources of all dependencies (needs cargo-deny)
	@command -v cargo-deny >/dev/null || { echo "run \`cargo install cargo-deny --locked\` first" >&2; exit 1; }
	cargo deny check licenses bans sources

.PHONY: docs
docs: build ## Write the generated references in docs/
	TIDEWALK_ACCEPT=1 cargo test --locked --test fast reference

.PHONY: capture
capture: build ## Record the demo in docs/demo.txt, which the README quotes
	@scripts/demo.sh $(TIDEWALK) > docs/demo.txt 2>&1

.PHONY: clean
clean: ## Take the sandbox down and remove what the demo made
	-$(TIDEWALK) sandbox down
	rm -rf .demo
