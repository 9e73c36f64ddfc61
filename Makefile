# Every recipe installs what it needs first; scripts/setup.sh says what and why.
.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help setup setup-test build demo test bench evaluate train fuzz check-long man clean faults

# rustup puts cargo where only a new login shell looks.
export PATH := $(PATH):$(HOME)/.cargo/bin
release := $(or $(CARGO_TARGET_DIR),target)/release

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install what building needs (compiler, headers, ONNX Runtime)
	@scripts/setup.sh build

setup-test: ## and what the tests need (Java, Apache Kafka, cargo-deny)
	@scripts/setup.sh test

build: setup ## the binary, at target/release/tidegate
	@cargo build --release --locked

demo: build ## a wave of posts through the worker, on an embedded broker; ARGS=--serve keeps it running
	@$(release)/tidegate demo $(ARGS)

test: setup-test ## everything: lints, tests with a real Apache Kafka, rules, licences
	@scripts/test.sh

bench: ## what a post costs, and the worker beside a bare loop and a Python worker
	@scripts/setup.sh bench
	@cargo bench --locked --bench bench

evaluate: build ## what the models are worth, through the binary; DATA=FOLDER of labelled posts
	@training/evaluate.sh "$(DATA)" $(release)/tidegate

train: build ## the models anew, from labelled posts; hours; DATA=FOLDER
	@training/train.sh "$(DATA)" $(release)/tidegate

fuzz: setup ## look for trouble with every fuzz target; SECONDS_EACH=60
	@scripts/fuzz.sh run $(or $(SECONDS_EACH),60)

faults: setup-test ## kill, cut off, fill up and confuse workers; SEED=7 repeats a run, FAULT=kill chooses
	@cargo test --quiet --locked --all-features --test faults -- long

check-long: test fuzz faults ## make test, and what takes minutes: the fuzz targets, all faults

man: build ## the manual pages, in target/man
	@mkdir -p target/man && $(release)/tidegate man --folder target/man

clean: ## what was built here; downloads stay
	@cargo clean
	@rm -rf .tidegate
