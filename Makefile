# Everything runs from .venv; `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed
LOCK := requirements/dev.lock
CODE := pipeline schemas agents dashboards bench examples tests tools
CODE_FOUND = $(wildcard $(CODE))
DEMO_DATA ?= build/demo
# The first of these that runs and is new enough makes the virtual environment; PYTHON_FOR_VENV=… overrides.
PYTHON_CANDIDATES := python3.11 python3.12 python3.13 python3
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# what `make fast` leaves out: whatever starts a process, and what takes long
UNIT := not process and not e2e and not kafka and not slow
PYTEST := $(PYTHON) -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup native demo fast test slow coverage lint format types check ci bench peers kafka lock web clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install the locked dependencies into .venv (again only when the lock changed), build the native core
	@echo "setup: $(VENV) matches $(LOCK)"
	@$(PYTHON) -m pipeline.native.build --once

# the lock names everything: pip has nothing to look for, and would choose versions of its own for extras (coverage[toml])
$(STAMP): $(LOCK)
	@set -eu; \
	if ! [ -x $(PYTHON) ] || ! $(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null; then \
	    found=; \
	    for candidate in $(PYTHON_FOR_VENV) $(PYTHON_CANDIDATES); do \
	        if "$$candidate" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	    done; \
	    if [ -z "$$found" ]; then \
	        echo "error: no Python >= 3.11 with venv found; install one (Debian: apt install python3-venv) or set PYTHON_FOR_VENV" >&2; \
	        exit 1; \
	    fi; \
	    echo "setup: making $(VENV) with $$($$found --version)"; \
	    $$found -m venv --clear $(VENV); \
	fi; \
	echo "setup: installing $(LOCK), hashes checked (about 400 MB, chDB is half of it)"; \
	URLLIB3_NO_OVERRIDE=1 $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCK); \
	touch $(STAMP)

native: $(STAMP) ## Build the compiled part of the core (seconds), also where that has failed before
	@$(PYTHON) -m pipeline.native.build

demo: setup ## Run everything here on a simulated bank, with a live table (Ctrl-C ends it)
	@$(PYTHON) -m pipeline demo --data $(DEMO_DATA)

fast: setup ## Run the unit tests: no processes, done in a minute
	@$(PYTEST) -m "$(UNIT)" --no-processes

test: setup ## Run the tests that need nothing but Python; T=tests/state/test_money.py for some of them
	@$(if $(T),$(PYTHON) -m pytest $(T),$(PYTEST) -m "not kafka and not slow" $(if $(COVERAGE),--cov --cov-report=term:skip-covered))

slow: setup ## Run the tests that take more than ten seconds each: kills, faults, every command of the README
	@$(PYTEST) -m "slow and not kafka"

coverage: ## Run the same, and measure what they cover, against the floor in pyproject.toml
	@$(MAKE) --no-print-directory test COVERAGE=yes

lint: setup ## Check style with every rule of ruff, and the format
	@$(VENV)/bin/ruff check $(CODE_FOUND)
	@$(VENV)/bin/ruff format --check --quiet $(CODE_FOUND) || { echo "error: not formatted; run: make format" >&2; exit 1; }

format: setup ## Format the code and mend what ruff can mend by itself
	@$(VENV)/bin/ruff check --fix-only --quiet $(CODE_FOUND)
	@$(VENV)/bin/ruff format --quiet $(CODE_FOUND)

types: setup ## Check types with mypy --strict
	@$(VENV)/bin/mypy --strict $(CODE_FOUND)

check: lint types test ## Lint, types and the tests

ci: ## Everything that a change must pass: real Kafka, kill trials, other Pythons
	@.ci/run

bench: setup ## Measure speed and memory, and print the figures
	@$(PYTHON) -m bench

# an environment of their own: they bring half of PyPI along, and versions that this project does not want
peers: setup ## Install the engines that bench/peers measures beside this one into .venv-peers (Python 3.11 or 3.12, 2 GB)
	@$(PYTHON) -m venv --clear .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/peers.lock

kafka: ## Fetch Apache Kafka and run one real broker in the foreground (needs Java 17 and Maven)
	@deploy/kafka/run

lock: ## Renew the locked dependencies from requirements/*.in (needs uv)
	@command -v uv >/dev/null || { echo "error: uv is not installed; see https://docs.astral.sh/uv/" >&2; exit 1; }
	uv pip compile requirements/base.in --quiet --universal --python-version 3.11 --generate-hashes --emit-build-options --no-header --upgrade -o requirements/base.lock
	uv pip compile requirements/dev.in --quiet --universal --python-version 3.11 --generate-hashes --emit-build-options --no-header -c requirements/base.lock -o requirements/dev.lock
	uv pip compile requirements/peers.in --quiet --universal --python-version 3.11 --generate-hashes --no-header -o requirements/peers.lock

web: ## Check and build the board's page into web/dist (needs Node and npm)
	@command -v npm >/dev/null || { echo "error: npm is not installed; only who changes the page needs it" >&2; exit 1; }
	cd web && npm ci --no-audit --no-fund && npm run check && npm run build

clean: ## Remove what demo, tests and tools left in build/ and the caches
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
