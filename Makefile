# make demo | test | bench | lint | docs: each sets up .venv by itself. See `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NATIVE := setup.py CMakeLists.txt $(shell find kernels -name '*.cpp' -o -name '*.hpp' -o -name '*.cu')

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint docs clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

demo: $(STAMP)  ## train a WAE-MMD on real handwritten digits and write its report
	$(BIN)/fastlatent train wae-mmd --data digits

test: $(STAMP)  ## the whole test suite
	$(BIN)/python -m pytest

bench: $(STAMP) $(VENV)/.bench  ## time the kernels against what people use today
	$(BIN)/python -m bench

lint: $(STAMP) $(VENV)/.lint  ## ruff and mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	rm -rf build/typed && $(BIN)/python setup.py -q build_py --build-lib build/typed
	cd build/typed && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p fastlatent

docs: $(STAMP) $(VENV)/.docs  ## the documentation, into build/site
	$(BIN)/mkdocs build --strict

clean:  ## remove what was built, the environment included
	rm -rf $(VENV) build *.egg-info fastlatent/_native*.so

$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[train,test]'
	touch $@

$(VENV)/.%: $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e '.[$*]'
	touch $@
