.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
# One file or folder: make test T=tests/rules
T ?= tests
.PHONY: help setup run test lint bench chaos soak clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/dev ## Make .venv with everything that the other targets use, from the locked list

run: .venv/run ## Set up, make the database, load a sample district, grade it, serve API and worker on 127.0.0.1:8080
	@.venv/bin/xinheng run

test: setup lint ## Lint, types and every test on both databases, with coverage; one folder with T=tests/rules
	@.venv/bin/python -m tests.suite $(T)

lint: .venv/dev ## Style, types, and the direction of imports
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports --no-cache

bench: .venv/dev ## Measure import, grading, look-up and list on the city, beside the floor and another engine (about 10 minutes)
	@$(PY) -m benchmarks

chaos: .venv/dev ## Kill imports, gradings and the server at random moments, 20 times each (about 10 minutes)
	@XINHENG_TEST_KILLS=20 $(PY) -m pytest tests/chaos

soak: .venv/dev ## Two simulated years day by day, the city cut up and explained, 200 entities on each of 730 days (a quarter of an hour)
	@XINHENG_TEST_DAYS=730 XINHENG_TEST_SIZE=city XINHENG_TEST_ENTITIES=1000 $(PY) -m pytest tests/soak
	@XINHENG_TEST_EXAMPLES=100 $(PY) -m pytest tests/rules/test_timeline.py
	@XINHENG_TEST_EXAMPLES=150 $(PY) -m pytest tests/registry/test_grading.py
	@XINHENG_TEST_EXAMPLES=40 $(PY) -m pytest tests/api/test_document.py
	@XINHENG_TEST_WHOLE=1 $(PY) -m pytest tests/registry/test_real_files.py
	@XINHENG_TEST_BENCHMARKS=1 $(PY) -m pytest tests/registry/test_benchmark_real.py

clean: ## Remove .venv and var (the sample database)
	@rm -rf .venv var

# The environment: exactly what is locked, checked by hash. A machine without the venv module gets it where we may install.
.venv/bin/python:
	@python3 -m venv .venv 2>/dev/null || { apt-get install -y -qq python3-venv && python3 -m venv .venv; }

.venv/run: requirements/run.txt pyproject.toml | .venv/bin/python
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@.venv/bin/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
