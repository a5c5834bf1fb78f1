# Two commands matter: `make demo` and `make test`. Both set up what they need.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test lint docs clean

setup: $(READY)

$(READY): requirements.txt requirements-models.txt requirements-cluster.txt requirements-train.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "moseg needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	$(BIN)/moseg sample --out out/sample
	$(BIN)/moseg run out/sample/sample.mp4 --out out/demo
	$(BIN)/moseg eval davis16 --pred out/demo --gt out/sample/truth

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python scripts/write_configuration_page.py

clean:
	rm -rf .venv out .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
