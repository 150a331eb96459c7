# The task file. It needs Python 3.11 or newer, git and make, and nothing else; `make help` lists the targets.
# Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --compile --disable-pip-version-check --quiet
RUN    := $(VENV)/.installed-run
DEV    := $(VENV)/.installed-dev

# Without byte code every start is two to four times slower.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(RUN) ## run the whole way on a made-up cohort (installs only what running needs)
	$(BIN)/smoulder demo

.PHONY: test
test: $(DEV) ## run all tests, the examples in docstrings too
	$(BIN)/python -m pytest -n 2 --doctest-modules tests src

.PHONY: browser
browser: $(DEV) ## open the reports of studies in chromium, which has to be installed (Debian: apt-get install chromium)
	CI=1 $(BIN)/python -m pytest tests/test_browser.py

.PHONY: check
check: lint types docs test ## everything that has to be green: lint, types, docs, test

.PHONY: lint
lint: $(DEV) ## look for faults and unformatted code, change nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(DEV) ## format the code and mend what can be mended safely
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(DEV) ## check the types of the package
	$(BIN)/pyright

.PHONY: docs
docs: $(DEV) ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: pages
pages: $(DEV) ## make the generated pages anew: definitions, studies, and the output of the commands that pages show
	$(BIN)/python -m smoulder.rulebook.pages docs/definitions
	$(BIN)/python docs/draw_patients.py
	$(BIN)/python -m smoulder.studying.pages docs/studies
	$(BIN)/python docs/fill_commands.py

.PHONY: golden
golden: $(DEV) ## make the tables of the statistics anew with R (its packages: tests/golden/make_data.py)
	$(BIN)/python tests/golden/make_data.py
	for script in curves cox rates recurrent intervals models random; do Rscript tests/golden/$$script.R || exit 1; done

.PHONY: bench
bench: $(DEV) ## measure the speed: patients a second
	$(BIN)/python bench/run.py

.PHONY: setup
setup: $(DEV) ## make .venv with everything that development needs

.PHONY: clean
clean: ## remove what was built, .venv too
	rm -rf $(VENV) site dist build .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and again where pyproject.toml changes.

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Smoulder needs Python 3.11 or newer; choose one, such as: make test PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN): pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing Smoulder into $(VENV) (once; about a minute)"
	$(PIP) -e .
	@touch $@

$(DEV): pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing Smoulder and its development tools into $(VENV) (once; about two minutes)"
	$(PIP) -e '.[dev]'
	@touch $(RUN) $@
