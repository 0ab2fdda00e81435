# One verb each. `make help` lists them. Everything is installed into .venv, nothing outside it is touched.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help test lint format interop-ruby bench bench-quick clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(READY): python/pyproject.toml conformance/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed; name one with PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable 'python[test,hiredis]' --editable 'conformance[test]' ruff mypy
	@touch $@

test: $(READY) lint ## lint, types and all tests
	cd python && ../$(BIN)/python -m pytest -q
	cd interop && ../$(BIN)/python -m pytest -q

lint: $(READY) ## ruff and mypy --strict
	$(BIN)/ruff check python conformance interop
	$(BIN)/ruff format --check python conformance interop
	cd python && ../$(BIN)/mypy
	cd conformance && ../$(BIN)/mypy
	cd interop && ../$(BIN)/mypy --strict ruby/converse.py talk tests

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff check --fix python conformance interop
	$(BIN)/ruff format python conformance interop

interop-ruby: $(READY) ## Python and the Ruby gem on one stream (RUBY=... names the ruby that has the gem)
	$(BIN)/python -m redisipc_conformance.server -- $(BIN)/python interop/ruby/converse.py

clean: ## remove what make made
	rm -rf .venv out

.venv/bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'python[bench]' && $(BIN)/python -m pip install --quiet --editable 'python[test,hiredis]'
	@touch $@

bench: .venv/bench ## all contenders in one run; table, JSON and picture go to out/
	cd python && ../$(BIN)/python -m benchmarks --picture ../out/bench.svg

bench-quick: $(READY) ## redisipc against the floor in under a minute, compared with the stored run
	cd python && ../$(BIN)/python -m benchmarks --quick
