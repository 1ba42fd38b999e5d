# Two commands for a newcomer: `make demo` and `make test`. Both set everything up and may be run twice.

PYTHON ?= python3
VENV   := .venv
UV     := $(VENV)/bin/uv
DEMO   := demo

export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE := copy

.PHONY: setup demo test unit explore lint format bench clean

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

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
