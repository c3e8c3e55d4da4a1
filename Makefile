# One verb a thing to do; `make demo` and `make test` do all their own set-up.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
STATIC := console/static/.built

.PHONY: help install demo test check e2e bench web chaos fuzz clean lock timescale browser

help: ## show the verbs
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@echo "[1/4] making $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "skybeat needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment: install Debian's python3-venv"; exit 1; }

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "[2/4] installing the locked packages (hashes checked)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock $(INSTALLED)
	@echo "installing what tests and checks need (hashes checked)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(STATIC): $(shell find console/web -type f -not -path '*/node_modules/*' -not -path '*/pictures/*' 2>/dev/null) | $(INSTALLED)
	@echo "[3/4] building the web app"
	@$(BIN)/python tools/build_web.py

install: $(INSTALLED) $(STATIC) ## make .venv, install, build the web app

demo: install ## the demo city and its force on a live map
	@echo "[4/4] starting the demo"
	@exec $(BIN)/skybeat demo $(DEMO)

web: $(INSTALLED) ## build the web app
	@$(BIN)/python tools/build_web.py

browser: $(INSTALLED_DEV)
	@$(BIN)/python tools/install_browser.py

timescale: $(INSTALLED_DEV)
	@$(BIN)/python tools/fetch_timescale.py

test: $(INSTALLED_DEV) $(STATIC) browser timescale ## all tests, the browser's included
	@$(BIN)/pytest -n auto --maxprocesses=4 --dist loadfile $(TEST)

e2e: $(INSTALLED_DEV) $(STATIC) browser ## the browser's tests alone
	@$(BIN)/pytest tests/e2e $(TEST)

check: $(INSTALLED_DEV) $(STATIC) ## format, lint, types, import contracts, generated files
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tools/generate_mavlink_tables.py --check
	@$(BIN)/python tools/generate_wire.py --check
	@$(BIN)/python tools/build_web.py --check

bench: install $(INSTALLED_DEV) ## every benchmark, against its goals and its peers
	@for name in decode ingest journal stream coverage stations nearest siting moveup roads udp jt808 geofence pipeline coverage_path deconflict idleness relay repair toptw; do $(BIN)/skybeat bench $$name --json || exit 1; done

chaos: $(INSTALLED_DEV) ## the long form of the fault tests; writes docs/faults.md
	@mkdir -p build && rm -f build/faults.jsonl
	@SKYBEAT_TEST_KILLS=50 SKYBEAT_TEST_CHAOS_REPORT=$(CURDIR)/build/faults.jsonl $(BIN)/pytest tests -m chaos $(TEST)
	@$(BIN)/python tools/write_faults.py build/faults.jsonl

fuzz: $(INSTALLED_DEV) ## atheris on every decoder (FUZZ="--seconds 600 jt808"), then the long form of the property tests
	@$(BIN)/python -m tests.fuzz $(FUZZ)
	@$(BIN)/pytest tests/property --hypothesis-profile=long $(TEST)

lock: $(INSTALLED_DEV) ## resolve the locked packages anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group pyproject.toml:build -o requirements-build.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group pyproject.toml:node -o requirements-node.lock

clean: ## remove what was built; the data of an installation stays
	@rm -rf $(VENV) console/static console/web/node_modules tests/timescale/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
