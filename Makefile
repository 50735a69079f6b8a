# What a newcomer, a developer and CI run. `make help` lists it.
# The first interpreter that really runs and is new enough (a version manager's shims may only pretend).
SUITABLE = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(SUITABLE)' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=
LOCK = pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate pyproject.toml

# Its threads would spin on every core for matrices that fit into a cache.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help setup setup-dev run fleet call test fuzz check bench lock sbom format clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "hotline needs Python 3.11 to 3.13 (none found); set PYTHON=/path/to/python3.12"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.installed  ## a virtual environment with the locked dependencies
setup-dev: $(VENV)/.installed-dev  ## the same, with what tests and checks need

run: setup  ## serve on http://localhost:8000
	@$(BIN)/hotline serve $(ARGS)

fleet: setup  ## replicas behind a balancer on http://localhost:8000 (ARGS="--replicas 3 --redis")
	@$(BIN)/python -m deploy.fleet $(ARGS)

call: setup  ## a simulated caller; writes heard.wav (ARGS="--say hello")
	@$(BIN)/hotline call --out heard.wav $(ARGS)

# More workers than cores, since most tests wait; without asyncio's debug mode, which takes a third of the time.
# Every worker reads all the files that it is given: those that have tests in real time are named.
test: PYTEST = $(BIN)/python -m pytest -o asyncio_debug=false
test: REALTIME = tests/journeys tests/faults tests/hearing/test_pool.py tests/security
test: setup-dev  ## the whole test suite
	$(PYTEST) -n 4 -m "not realtime" $(ARGS) || [ $$? = 5 ]
	$(PYTEST) -n 3 --dist loadgroup -m realtime --reruns 1 $(or $(ARGS),$(REALTIME)) || [ $$? = 5 ]

# An environment of its own: atheris has wheels for Linux and for some Pythons only; without it chance must do.
fuzz:  ## throw garbage at every wire, ten minutes each (ARGS="--target mp3 --seconds 60")
	@$(MAKE) --no-print-directory setup-dev VENV=$(VENV)-fuzz
	@$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
		-r requirements-fuzz.lock || echo "no wheel of atheris for this Python or machine: see docs/fuzzing.md" >&2
	@$(VENV)-fuzz/bin/python -m tests.fuzz.run $(ARGS)

check: setup-dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup-dev  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev  ## print figures, the machine, and ratios to named baselines
	$(BIN)/python -m bench $(ARGS)

lock: setup-dev  ## renew the lock files from pyproject.toml
	$(BIN)/uv $(LOCK) --extra local-voice --extra local-hearing --extra build -o requirements.lock
	$(BIN)/uv $(LOCK) --extra local-voice --extra local-hearing --extra build --extra dev -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv $(LOCK) --extra quality -c requirements-dev.lock -o requirements-quality.lock
	$(BIN)/uv $(subst pyproject.toml,tests/fuzz/requirements.in,$(LOCK)) -o requirements-fuzz.lock

sbom: setup  ## what hotline is made of, as CycloneDX JSON (hotline.cdx.json)
	$(BIN)/python deploy/sbom.py hotline.cdx.json

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) $(VENV)-fuzz hotline.cdx.json .pytest_cache .mypy_cache .ruff_cache .hypothesis
