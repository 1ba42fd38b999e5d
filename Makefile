# Two commands for a newcomer: `make demo` and `make test`. Both set everything up and may be run twice.

SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
UV     := $(VENV)/bin/uv
DEMO   := demo

export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE := copy

.PHONY: setup demo test test-spark unit explore lint format bench docs release clean

setup: $(VENV)/.ready

# The virtual environment holds uv, uv holds the locked dependencies; WeasyPrint needs Pango from the system.
$(VENV)/.ready: pyproject.toml uv.lock .ci/system-packages .ci/uv-requirements.txt
	.ci/system-packages $(PYTHON)
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/uv-requirements.txt
	$(UV) sync --frozen --inexact --quiet
	touch $@

demo: setup
	test -f $(DEMO)/trisect.toml || $(VENV)/bin/trisect init $(DEMO) --sample
	$(VENV)/bin/trisect run --project $(DEMO) --night 2026-11-20 --now 2026-11-21T06:00:00Z
	@echo "$(CURDIR)/$(DEMO)/var/published/current/leadership.pdf"

# One process a core; the tests of a file stay together, so that they share what is expensive to make.
test: setup
	$(VENV)/bin/python -m pytest -n auto --dist loadfile

# What a change is tried with while it is made: the unit tests, in under a minute on a quiet machine.
unit: setup
	$(VENV)/bin/python -m pytest -q -n auto --dist loadfile tests/unit tests/contracts

# The cluster of docs/scaling.md; needs a Java runtime of version 17 or later, and downloads PySpark.
test-spark: setup
	$(UV) sync --frozen --inexact --quiet --extra spark
	$(VENV)/bin/python -m pytest -q tests/integration/test_spark.py

# The property tests on examples that no run has seen; what they find becomes a test of its own.
explore: setup
	$(VENV)/bin/python -m pytest --hypothesis-profile explore $$(grep -rl hypothesis tests --include "test_*.py")

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# Files in bench/ that can be run print ratios against a baseline of the same run; the others make their data.
bench: setup
	for name in $$(grep -l __main__ bench/*.py); do $(VENV)/bin/python -m bench.$$(basename $$name .py) || exit 1; done

# A site in site/<version>/, beside those of other versions: the reference is written from the code first; links that lead
# nowhere are errors.
docs: VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
docs: setup
	$(UV) sync --frozen --inexact --quiet --group docs
	$(VENV)/bin/python docs/build_reference.py
	TRISECT_VERSION="Trisect $(VERSION)" $(VENV)/bin/mkdocs build --quiet --site-dir site/$(VERSION)
	ln -sfn $(VERSION) site/latest

# What is released, checked in an environment that is made as docs/operations.md says: wheel, source, the libraries that
# were tested with their hashes, and a list of everything in it (SBOM).
release: setup
	.ci/advisories $(VENV)
	rm -rf dist
	$(UV) build --quiet
	$(UV) export --frozen --no-dev --no-emit-project --quiet --format cyclonedx1.5 --output-file dist/sbom.cdx.json
	$(UV) export --frozen --no-dev --extra postgresql --no-emit-project --quiet --output-file dist/requirements.txt
	$(VENV)/bin/python -m venv dist/check
	dist/check/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r dist/requirements.txt
	dist/check/bin/pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	cd dist && check/bin/trisect --version && check/bin/trisect init check/company --sample && check/bin/trisect check --project check/company
	rm -rf dist/check
	ls -l dist

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
