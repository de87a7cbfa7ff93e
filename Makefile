# make demo paints a sample slowly and fast; make app opens a page to paint on; make test runs the
# tests. All make .venv first.
# PYTHON=python3.12 makes .venv with that one.
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
PYTHON ?=
STAMP := $(VENV)/.installed
DEMO_SIZE := 512
DEMO_OUTPUT := demo
# As in make app APP_FLAGS=--port=8000.
APP_FLAGS :=
PYTEST := $(VENV_PYTHON) -m pytest -q -n auto --maxprocesses=4 --dist=worksteal

.PHONY: setup demo app test test-slow test-all lint format bench

setup: $(STAMP)

# compat puts the clone on the path: otherwise a folder of the package's name goes before it, and the
# clone itself has that name for a program beside it.
$(STAMP): $(wildcard requirements*.txt) pyproject.toml Makefile
	@python=$$(for name in $(PYTHON) python3 python python3.13 python3.12 python3.11 python3.10; do \
		"$$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
			2>/dev/null && echo "$$name" && break; done); \
	if [ -z "$$python" ]; then \
		echo "No Python from 3.10 to 3.13 was found; TensorFlow needs one of these." >&2; exit 1; fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV)
	$(VENV_PYTHON) -m pip install --quiet -r requirements-dev.txt
	$(VENV_PYTHON) -m pip install --quiet --no-build-isolation --no-deps --editable . \
		--config-settings editable_mode=compat
	@touch $@

demo: setup
	$(VENV_PYTHON) scripts/compare.py --size=$(DEMO_SIZE) --output_dir=$(DEMO_OUTPUT) \
		--content=samples/content/cincinnati_bridge.jpg \
		--style=samples/style/vangogh_village_street_in_auvers.jpg
	@echo "Look at $(CURDIR)/$(DEMO_OUTPUT)/comparison.png, or open report.html beside it."

app: setup
	$(VENV_PYTHON) scripts/app.py $(APP_FLAGS)

test: setup
	$(PYTEST)

test-slow: setup
	$(PYTEST) -m slow

test-all: setup
	$(PYTEST) -m "slow or not slow"

lint: setup
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy

format: setup
	$(VENV_PYTHON) -m ruff check --fix .
	$(VENV_PYTHON) -m ruff format .

# Takes hours. Writes benchmarks/RESULTS.md.
bench: export TF_CPP_MIN_LOG_LEVEL = 3
bench: setup
	$(VENV_PYTHON) -m pip install --quiet -r requirements-bench.txt
	$(VENV_PYTHON) benchmarks/quality.py --rounds=3 --suffix=_samples
	$(VENV_PYTHON) benchmarks/quality.py --size=1024 --suffix=_samples
	$(VENV_PYTHON) benchmarks/start_up.py
	$(VENV_PYTHON) benchmarks/time_to_loss.py
	$(VENV_PYTHON) benchmarks/step_rate.py
	$(VENV_PYTHON) benchmarks/style_loss_rate.py
	$(VENV_PYTHON) benchmarks/memory.py
	$(VENV_PYTHON) benchmarks/fast_rate.py
	$(VENV_PYTHON) benchmarks/video.py
	$(VENV_PYTHON) benchmarks/export_rate.py
	$(VENV_PYTHON) benchmarks/callback_cost.py
	$(VENV_PYTHON) benchmarks/batch_rate.py
	$(VENV_PYTHON) benchmarks/report.py
