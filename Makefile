# make demo: see it work · make test: all checks, as CI runs them · make check: the fast ones · make clean
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check style types architecture unit clean
.DELETE_ON_ERROR:

demo: $(VENV)/.all
	rm -rf demo
	$(BIN)/mien data sketch demo/faces.h5 --count 2000
	$(BIN)/mien train configs/demo.toml --data.store demo/faces.h5 --out demo/run
	$(BIN)/python examples/demo_photo.py demo/photo.png
	$(BIN)/mien predict demo/photo.png --model demo/run --out-dir demo
	@echo
	@echo "Done. Look at:"
	@echo "  demo/run/report.html       how well the model reads drawn faces"
	@echo "  demo/photo.mien.png        what it sees in demo/photo.png"

test: style types unit

check: style types architecture

style: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

architecture: $(VENV)/.dev
	$(BIN)/pytest tests/test_architecture.py

unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 --cov

# One stamp per set of extras: a second run installs nothing until pyproject.toml changes.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), which takes a few minutes"
	@$(BIN)/pip install --quiet --editable ".[$*]"
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mien needs Python 3.11 or newer; name one: make PYTHON=/path/to/python")'
	@$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) demo build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
