# One machine, Python 3.11 or newer, and make: everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRA_INDEX ?=

.PHONY: demo test lint bench faults fuzz clean
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
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

# every speed that docs/performance.md tells, beside the obvious script: a quarter of an hour on two quiet cores
bench: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(EXTRA_INDEX),--extra-index-url $(EXTRA_INDEX)) --editable '.[bench]'
	$(BIN)/python benchmarks/bench.py

# what the project survives, at length: some hours on two cores; docs/reliability.md has the figures
faults: .venv/installed
	$(BIN)/python -m tests.faults writer --kills 1000
	$(BIN)/python -m tests.faults points
	$(BIN)/python -m tests.faults damage --artifacts 10000
	$(BIN)/python -m tests.faults disk
	$(BIN)/python -m tests.faults bad-trials
	$(BIN)/python -m tests.faults drivers --drivers 8 --skewed
	$(BIN)/python -m tests.faults drivers --drivers 8 --ray
	$(BIN)/python -m tests.faults soak --cells 1000
	$(BIN)/python -m tests.faults kills --sweeps 200

# damaged input against every reader, some minutes; docs/reliability.md has the figures
fuzz: .venv/installed
	$(BIN)/python tests/fuzz/fuzz.py --seeds 0:14000

clean:
	rm -rf .venv runs
