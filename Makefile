# Everything runs from .venv, which this file makes; nothing is installed outside it.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS = never
# Commands and tests start many processes; without bytecode each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
BIN = .venv/bin
READY = .venv/ready

.PHONY: help demo test long check bench format clean
help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

$(READY): pyproject.toml uv.lock $(wildcard plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --quiet --locked --all-packages --all-extras --all-groups
	@touch $@

demo: $(READY) ## a purchase moves a profile: hub, three partners, one minute  [DATA=orders.csv.gz]
	@$(BIN)/python -m examples.demo $(if $(DATA),--data '$(DATA)')

# Files begin in their order: else those with few tests come last, and the longest tests are in such.
test: $(READY) ## every test but the long ones; three at a time, as many of them wait
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

long: $(READY) ## the tests that take minutes
	$(BIN)/pytest -m long

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY) ## our figures beside their limits
	$(BIN)/python -m benchmarks

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make made
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
