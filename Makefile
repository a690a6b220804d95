# The commands of ProtoZoo. `make help` lists them.

PYTHON ?= python3
VENV := .venv/bin
NPM := PATH="$(CURDIR)/$(VENV):$$PATH" npm --prefix frontend
ARGS ?=

.DEFAULT_GOAL := help
# One test process per core, four at most; a file's tests stay together for what they share.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: help setup demo test run worker lint types format messages check bench clean

help: ## list these commands
	@echo "make COMMAND, one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv, install everything, build the front end (what is done already is skipped)
	@$(PYTHON) bootstrap.py

demo: setup ## the whole way on a small synthetic survey, then the site on http://127.0.0.1:8000
	@$(VENV)/python manage.py demo $(ARGS)

test: setup ## all tests, front end first; pytest takes ARGS="-k vote -x"
	@$(NPM) run --silent test
	@OMP_NUM_THREADS=1 $(VENV)/python -m pytest $(PARALLEL) $(ARGS)

run: setup ## serve the site on http://127.0.0.1:8000
	@$(VENV)/python manage.py serve $(ARGS)

worker: setup ## work on queued jobs: imports, sortings, releases
	@$(VENV)/python manage.py worker $(ARGS)

lint: setup ## find faults and unformatted files, change nothing
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(NPM) run --silent lint

types: setup ## check the types of Python and TypeScript
	@$(VENV)/mypy
	@$(NPM) run --silent types

format: setup ## format all code and repair what can be repaired
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .
	@$(NPM) run --silent format

messages: setup ## collect all texts of the site and compile their translations
	@$(VENV)/python manage.py messages $(ARGS)

check: lint types ## everything that CI looks at: lint, types, missing migrations, tests
	@$(VENV)/python manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

bench: setup ## measure speed with the scripts in tests/bench
	@for script in $(wildcard tests/bench/*.py); do \
		echo "== $$script"; $(VENV)/python $$script $(ARGS) || exit 1; \
	done

clean: ## remove .venv, caches and the built front end; var/ with its data stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	rm -rf dist frontend/dist frontend/node_modules
	find fixtures frontend ml platform tests -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf __pycache__
