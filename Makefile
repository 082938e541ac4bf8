# One command each, all set-up included: make demo, test, test-long, fuzz, check, bench, docs, clean.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := tests/e2e/node
SECRETLINT := tests/e2e/secretlint
CLIENTS := .clients/openai-1 .clients/openai-1-last .clients/openai-2
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-long fuzz check lint types contracts bench docs clean

demo: $(VENV)/.ready
	@$(BIN)/respool demo

test: $(VENV)/.ready-dev $(CLIENTS:%=%/.ready) $(NODE)/node_modules/.ready $(SECRETLINT)/node_modules/.ready
	@$(BIN)/pytest -n 3

# The campaigns first: what takes long must not begin when all else is done.
test-long: $(VENV)/.ready-dev $(SECRETLINT)/node_modules/.ready
	@RESPOOL_PROPERTIES=long $(BIN)/pytest -n 3 --dist worksteal tests/campaigns tests/proxy/plugin/test_campaign.py tests/cassettes

# SECONDS=600 for ten minutes. An input that breaks the reader is left in crash-*.
fuzz: $(VENV)/.ready-fuzz
	@$(BIN)/python tests/fuzz/fuzz_reader.py $(or $(SECONDS),60)

check: lint types contracts test

lint: $(VENV)/.ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	@$(BIN)/basedpyright

contracts: $(VENV)/.ready-dev
	@$(BIN)/lint-imports

bench: $(VENV)/.ready-dev
	@$(BIN)/python benchmarks/run.py

docs: $(VENV)/.ready-dev
	@$(BIN)/python docs/generate.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "respool needs Python 3.11 or newer; say: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing respool into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --only-binary=:all: --no-binary=respool -c constraints.txt -e .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing respool and its development tools into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --only-binary=:all: --no-binary=respool -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.ready

$(VENV)/.ready-fuzz: $(VENV)/.ready-dev
	@echo "installing the fuzzer into $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --only-binary=:all: --no-binary=respool -c constraints.txt -e '.[fuzz]'
	@touch $@

# Made anew with the environment: its wheels are those of one Python version.
.clients/%/.ready: tests/e2e/%.txt $(VENV)/.ready-dev
	@echo "installing an older client into $(@D) (once)" >&2
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --only-binary=:all: --no-deps --target $(@D) -r $<
	@touch $@

# Node is not needed: without it the tests of its client, and of a scanner that runs on it, are skipped and say so.
%/node_modules/.ready: %/package-lock.json
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then \
	  echo "installing the packages of $* (once)" >&2; \
	  npm ci --prefix $* --ignore-scripts --no-audit --no-fund --silent || echo "it could not be had; its tests are skipped" >&2; \
	fi
	@mkdir -p $(@D) && touch $@

clean:
	rm -rf $(VENV) .clients $(NODE)/node_modules $(SECRETLINT)/node_modules build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache demo.cassette
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
