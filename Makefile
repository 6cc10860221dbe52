# One machine, Python 3.11 or newer, and make: everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRA_INDEX ?=

.PHONY: demo test lint fuzz clean
.DEFAULT_GOAL := test

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "ganaug needs Python 3.11 or newer"'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(EXTRA_INDEX),--extra-index-url $(EXTRA_INDEX)) --editable '.[dev]'
	touch $@

demo: .venv/installed
	$(BIN)/ganaug run quickstart
	@echo "Open runs/quickstart/report/index.html in a browser."

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest

clean:
	rm -rf .venv runs

fuzz: .venv/installed
	$(BIN)/python tests/fuzz/fuzz.py --seeds 0:14000
