# make run: the main job. make test: the tests. Both set up .venv first; give PYTHON=... to choose an interpreter.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin

.PHONY: run prune test test-scale test-slow test-mlflow test-torch test-airflow bench lint docs format lock clean

run: .venv/users
	$(BIN)/kedro run

prune: .venv/users
	@test -n "$(KEEP)" || { echo "How many versions are to stay? make prune KEEP=3, for another environment ENV=camvid"; exit 1; }
	$(BIN)/kedro prune --keep "$(KEEP)" $(if $(ENV),--env "$(ENV)")

test: .venv/developers
	$(BIN)/pytest --doctest-modules src
	$(BIN)/pytest -m "not slow and not scale" --numprocesses logical --maxprocesses 4 --dist worksteal

test-scale: .venv/developers
	$(BIN)/pytest -m "scale and not slow" --numprocesses logical --maxprocesses 4 --dist worksteal

test-slow: .venv/developers
	$(BIN)/pytest -m slow

test-mlflow test-torch test-airflow: test-%: .venv-%/developers
	.venv-$*/bin/pytest -m $*

bench: .venv/developers
	$(BIN)/python tests/benchmarks/prepare.py
	$(BIN)/python tests/benchmarks/manifest.py
	$(BIN)/python tests/benchmarks/train.py
	$(BIN)/python tests/benchmarks/evaluate.py
	$(BIN)/python tests/benchmarks/predict.py
	$(BIN)/python tests/benchmarks/predict_source.py
	$(BIN)/python tests/benchmarks/export.py
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/cluster.py

lint: .venv/developers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: .venv/developers
	$(BIN)/mkdocs serve

format: .venv/developers
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: .venv/developers
	$(BIN)/uv pip compile --quiet $(UV) --extra coco pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet $(UV) --extra coco --extra dev --extra notebooks -c requirements.lock pyproject.toml -o requirements-dev.lock
lock: UV := --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate

clean:
	rm -rf .venv .venv-mlflow .venv-torch .venv-airflow

.venv/users: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/developers: requirements-dev.lock .venv/users
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

# An environment per extra: kedro-mlflow changes what every command does as soon as it is installed.
.venv-mlflow/developers .venv-torch/developers .venv-airflow/developers: .venv-%/developers: requirements-dev.lock pyproject.toml | .venv-%/bin/python
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

.venv/bin/python .venv-mlflow/bin/python .venv-torch/bin/python .venv-airflow/bin/python:
	@test -n "$(PYTHON)" || { echo "RoadSeg needs Python 3.11, 3.12 or 3.13; none was found"; exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)
