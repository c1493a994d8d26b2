# Everything there is to do, and nothing left running afterwards. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test check fmt unit contract integration slow e2e cluster cluster-down lock bench clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Reflow needs Python 3.11 or newer; set PYTHON=…"; exit 2; }
	@echo "Setting up $(VENV) from requirements/dev.lock …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

setup: $(READY) ## a virtual environment from the lock file

demo: $(READY) ## the seed's story on this machine, no cluster needed
	@$(BIN)/python examples/demo.py

test: $(READY) ## everything that this machine can run, the quick first; brings its own cluster up
	@$(BIN)/python -m tests.everything

check: $(READY) ## style, types, layers, chart and CRDs in step: seconds
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/pytest -q tests/unit/crds tests/unit/chart tests/unit/manifests

fmt: $(READY) ## put the style right
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

unit: $(READY) ## unit and property tests
	@$(BIN)/pytest -q tests/unit tests/property

contract: $(READY) ## the store's contract, on a folder, MinIO and VersityGW
	@$(BIN)/pytest -q tests/contract

integration: $(READY) ## real processes, folders, MinIO; no cluster
	@$(BIN)/pytest -q tests/integration

slow: $(READY) ## the long rounds: 1 GB values, gc at every two changes, hours of harm on the cluster
	@$(BIN)/pytest -q -m slow --timeout 7200

e2e: $(READY) ## on the cluster that `make cluster` started
	@$(BIN)/pytest -q tests/e2e

cluster: $(READY) ## a Kubernetes for tests on this machine (the first time builds it)
	@$(BIN)/python -m tests.cluster up

cluster-down: $(READY) ## stop it, without a trace
	@$(BIN)/python -m tests.cluster down

lock: ## the lock files anew, from pyproject.toml
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --all-extras --group dev pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --extra operator pyproject.toml -o requirements/operator.lock

bench: $(READY) ## the figures of docs/performance.md
	@$(BIN)/python -m benchmarks

clean: ## what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
