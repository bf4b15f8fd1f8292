# Two commands: `make demo` builds and publishes the sample show, `make test` runs every check. Both install what they need.
# For the working loop: `make quick`, about a minute, and `make lint`.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# make test BROWSER=none leaves out the tests of the pages; BROWSER=/a/path names the browser that looks at them.
ifeq ($(origin BROWSER),command line)
export CAUSERIE_BROWSER := $(BROWSER)
endif

.PHONY: demo test quick lint clean

demo: .venv/demo
	@$(BIN)/causerie build
	@$(BIN)/causerie publish
	@echo "Look at it: $(BIN)/causerie serve"

test: lint
	@$(BIN)/python tools/browser.py || true # without one, the tests say at the end what they left out, and fail
	@COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered

quick: lint
	@$(BIN)/python -m pytest -n 2 -m "not slow" --durations=3

lint: .venv/test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy

clean:
	rm -rf .venv .causerie public site

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit("Causerie needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/demo: .venv/python pyproject.toml constraints.txt
	@echo "Installing Causerie into .venv: a few minutes the first time, most of it PyTorch…"
	@$(PIP) --editable '.[base]'
	@touch $@

.venv/test: .venv/python pyproject.toml constraints.txt
	@echo "Installing Causerie and its tests into .venv: a few minutes the first time…"
	@$(PIP) --editable '.[test]'
	@touch .venv/demo $@
