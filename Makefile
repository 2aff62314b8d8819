# Everything runs from .venv, which this file creates; nothing is installed outside it.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS = never
# Commands and tests start many processes; without bytecode each would compile all its imports.
unexport PYTHONDONTWRITEBYTECODE
BIN = .venv/bin
READY = .venv/ready

.PHONY: help demo test long check bench format clean
help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

$(READY): pyproject.toml uv.lock $(wildcard plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --quiet --locked --all-packages --all-extras --all-groups
	@touch $@

demo: $(READY) ## run the demonstration: a hub, three partners, one minute  [DATA=orders.csv.gz]
	@$(BIN)/python -m examples.demo $(if $(DATA),--data '$(DATA)')

# Files start in their order. By default those with few tests start last, and these contain the slowest tests.
PYTEST = $(BIN)/pytest --dist loadfile --no-loadscope-reorder

test: $(READY) ## run all tests except the long ones, in three processes
	$(PYTEST) -n 3 -m "not long"

long: $(READY) ## run the long tests, and property tests with ten times the examples, in two processes
	HYPOTHESIS_PROFILE=thorough $(PYTEST) -n 2 -m "long or hypothesis"

check: $(READY) ## check format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY) ## run the benchmarks and compare each with its limit
	$(BIN)/python -m benchmarks

format: $(READY) ## apply ruff's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make created
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
