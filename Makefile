# Everything runs from .venv, which this file creates; nothing is installed outside it.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS = never
# Commands and tests start many processes; without bytecode each would compile all its imports.
unexport PYTHONDONTWRITEBYTECODE
BIN = .venv/bin
READY = .venv/ready

.PHONY: help demo test long check lowest docs bench format clean
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

# pytest's own plugins are no dependency of the packages.
LOWEST = .venv-lowest
lowest: $(READY) ## run a part of the tests with the lowest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
	  -e '.[audit,hub,postgresql,score-store,testing]' -e 'plugins/retail[zstd]' -e 'plugins/social[serve]' \
	  -e plugins/baihe 'pytest-timeout>=2.4'
	$(LOWEST)/bin/python -m pytest -q -p no:cacheprovider -W default -k 'not postgresql' \
	  tests/test_package.py tests/signing/test_jwt.py tests/hub/test_ingest.py tests/hub/test_reads.py \
	  plugins/retail/tests/test_contract.py plugins/baihe/tests/test_contract.py

docs: $(READY) ## build the documents as a site in build/docs; every warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -c docs -d build/doctrees . build/docs
	@echo "open build/docs/docs/index.html"

bench: $(READY) ## run the benchmarks and compare each with its limit
	$(BIN)/python -m benchmarks

format: $(READY) ## apply ruff's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what make created
	rm -rf .venv .venv-lowest dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
