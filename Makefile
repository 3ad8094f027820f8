# One word per chore. Everything is installed from uv.lock into .venv by the uv in .tools.
PYTHON ?= python3.11
UV := UV_PYTHON_DOWNLOADS=never .tools/bin/uv
RUN := .venv/bin
# Where it is set, each of the many processes that tests start would compile everything anew: two seconds of CPU a start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test check bench hunt clean

setup: .venv/.installed

.tools/bin/uv: requirements-bootstrap.txt
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements-bootstrap.txt

.venv/.installed: .tools/bin/uv pyproject.toml uv.lock
	$(UV) sync --quiet --locked --all-extras --python $(PYTHON)
	touch $@

demo: setup
	$(RUN)/syncd demo

test: setup
	$(RUN)/pytest -n 2 --dist worksteal -q

check: setup
	$(UV) lock --check --quiet
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/vulture

bench: setup
	$(RUN)/python -m tests.bench --json bench.json

hunt: setup
	$(RUN)/python -m tests.simulation --steps 400 --seconds 1200 --jobs 2 --first 100000 --json hunt.json
	$(RUN)/pytest -n 2 --dist worksteal -q -m slow
	$(RUN)/pytest -n 2 --dist worksteal -q --hypothesis-profile=many tests/properties

clean:
	rm -rf .venv .tools dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
