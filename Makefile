# Everything that a person runs. Each target sets up what it needs; `make` alone lists them.
PYTHON ?= python3
PORT ?= 4010
TARGET ?=
CALLERS ?=
ARGS ?=
BIN := .venv/bin

.PHONY: help install mock conformance mutants audit test test-all test-exhaustive check fix lint-spec docs site plan screenshots wheel prism-check bench soak clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/run: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/dev: .venv/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: .venv/run  ## Set up .venv with the two commands, mock-server and contract-tests

mock: .venv/run  ## Serve the mock on http://127.0.0.1:4010/api/v1 (PORT=... for another)
	@$(BIN)/mock-server --port $(PORT)

conformance: .venv/run  ## Judge the mock, or TARGET=URL [CALLERS=file]; writes reports/ (ARGS=... for more options)
ifeq ($(TARGET),)
	@log=$$(mktemp); $(BIN)/mock-server --port 0 >$$log 2>&1 & mock=$$!; \
	trap 'kill $$mock 2>/dev/null; rm -f $$log' EXIT; \
	until url=$$(grep -o 'http://[^ ]*/api/v1' $$log | head -n 1); [ -n "$$url" ]; do \
	  kill -0 $$mock 2>/dev/null || { cat $$log >&2; exit 2; }; sleep 0.1; done; \
	$(BIN)/contract-tests run --target "$$url" --control-hook '/_mock/services/{id}/status/{status}' \
	  --report reports $(ARGS)
else
	@$(BIN)/contract-tests run --target '$(TARGET)' $(if $(CALLERS),--callers '$(CALLERS)') --report reports $(ARGS)
endif

mutants: .venv/dev  ## Break the contract in every mechanical way; each mutant must be killed
	$(BIN)/contract-tests mutate --target wsgi:mock_server:create_app --control-hook '/_mock/services/{id}/status/{status}' \
	  --faults tests.quality.faults:CORE_FAULTS --report reports $(ARGS)

audit: .venv/dev  ## Mutate recorded responses, judge them, and write docs/audit.md, in less than a minute
	@$(BIN)/python -m benchmarks.audit

test: .venv/dev  ## Run the fast tests, in two to three minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow and not exhaustive'

tests/support/node/node_modules/.package-lock.json: tests/support/node/package.json
	@if command -v npm >/dev/null; then \
	  cd tests/support/node && npm install --no-package-lock --no-audit --no-fund --loglevel=error \
	  || echo 'The npm packages cannot be installed: the test of the TypeScript client is skipped'; \
	else echo 'Node is not installed: the test of the TypeScript client is skipped'; fi

test-all: .venv/dev .venv/docs tests/support/node/node_modules/.package-lock.json  ## Run all tests but the exhaustive ones, in about twenty minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not exhaustive'

test-exhaustive: .venv/dev  ## Plant every fault in the mock and play every seed of hostility, in over an hour
	$(BIN)/python -m pytest -n auto --dist worksteal -m exhaustive

.lint/node_modules/.package-lock.json: .lint/package.json
	cd .lint && npm install --no-package-lock --no-audit --no-fund --loglevel=error

lint-spec: .venv/dev .lint/node_modules/.package-lock.json  ## Lint the contract with two public linters (needs Node)
	.lint/node_modules/.bin/spectral lint --fail-severity warn spec/openapi.yaml spec/readback.yaml
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true .lint/node_modules/.bin/redocly lint spec/openapi.yaml spec/readback.yaml
	$(BIN)/openapi-spec-validator spec/openapi.yaml spec/readback.yaml

prism-check: .venv/dev .lint/node_modules/.package-lock.json  ## Let Prism's proxy judge the mock's responses to the fixtures (needs Node)
	$(BIN)/python -m tests.system.prism_check

docs: .venv/run  ## Generate docs/rules.md, docs/choices.md, spec/schemas and the bodies of the gate from the contract
	$(BIN)/mock-server rules --markdown > docs/rules.md
	$(BIN)/mock-server choices --markdown > docs/choices.md
	for name in $$($(BIN)/contract-tests schema); do \
	  $(BIN)/contract-tests schema $$name > spec/schemas/$$name.schema.json || exit 1; done
	$(BIN)/contract-tests freeze

.venv/docs: .venv/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

site: .venv/docs  ## Build the documentation site into build/site; a broken link fails
	$(BIN)/mkdocs build --strict --quiet

plan: .venv/dev  ## Learn the plan of --budget from all mutants and planted faults, in an hour (ARGS='--sample 400')
	$(BIN)/contract-tests plan --target wsgi:mock_server:create_app --control-hook '/_mock/services/{id}/status/{status}' \
	  --faults tests.quality.faults:FAULTS $(ARGS)

screenshots: .venv/dev  ## Take docs/screenshots/*.png of the page and of a finding (needs Chromium)
	$(BIN)/python -m tests.docs.screenshots

wheel: .venv/dev  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

check: .venv/dev  ## Lint code, workflows and Dockerfile, check types and imports; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --offline --quiet .github
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; else echo 'hadolint is installed on Linux only'; fi

.venv/bench: .venv/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	@touch $@

benchmarks/node_modules/.package-lock.json: benchmarks/package.json
	@if command -v npm >/dev/null; then \
	  cd benchmarks && npm install --no-package-lock --no-audit --no-fund --loglevel=error; \
	else echo 'Node is not installed: the mocks that need it are left out'; fi

bench: .venv/bench benchmarks/node_modules/.package-lock.json  ## Measure the kit beside other tools; writes docs/benchmarks.md (ARGS=--quick, ARGS='mock gate')
	@$(BIN)/python -m benchmarks $(ARGS)

fix: .venv/dev  ## Format the code and apply automatic fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: .venv/bench  ## Fuzz the mock for an hour and write its memory to docs/soak.md (ARGS=60 for a minute)
	$(BIN)/python -m benchmarks.suites.soak $(ARGS)

clean:  ## Remove everything that the other targets made
	rm -rf .venv .lint/node_modules benchmarks/node_modules tests/support/node/node_modules dist build reports .pytest_cache .mypy_cache .ruff_cache .hypothesis
