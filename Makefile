# make demo | test | test-fast | bench | lint | docs: each sets up .venv first; gpu uses the installed Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NATIVE := setup.py CMakeLists.txt $(shell find kernels -name '*.cpp' -o -name '*.hpp' -o -name '*.cu')

# Tests of one file share trained models, so a worker process runs whole files. They start in the order of collection,
# because no file at its end is long.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast bench gpu lint docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/'

demo: $(STAMP)  ## train a WAE-MMD on real handwritten digits and write its report
	$(BIN)/fastlatent train wae-mmd --data digits

test: $(STAMP)  ## the whole test suite
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(STAMP)  ## the tests that are not marked slow: under two minutes on two cores
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

bench: $(STAMP) $(VENV)/.bench  ## benchmarks of the kernels against other libraries
	$(BIN)/python -m bench

gpu:  ## with the packages of a machine that has a CUDA device: install, test, check memory accesses, time
	$(PYTHON) -m pip install -q --no-index --no-build-isolation --no-deps -e .
	$(PYTHON) -m pytest tests/kernels
	compute-sanitizer --error-exitcode 1 $(PYTHON) -m pytest tests/kernels/*/triton/test_kernels.py tests/kernels/test_split_bf16.py
	$(PYTHON) -m bench.gpu

lint: $(STAMP) $(VENV)/.lint  ## ruff and mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy -p fastlatent -p bench

docs: $(STAMP) $(VENV)/.docs  ## the documentation, into build/site
	$(BIN)/mkdocs build --strict

clean:  ## remove build outputs and the environment
	rm -rf $(VENV) build *.egg-info fastlatent/_native*.so

$(STAMP): pyproject.toml constraints.txt $(NATIVE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[train,test]'
	touch $@

# The packages of an extra alone: fastlatent itself is installed already.
$(VENV)/.%: pyproject.toml constraints.txt | $(STAMP)
	$(BIN)/python -c "import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; \
		print(*extras['$*'], sep='\n')" > $(VENV)/$*.txt
	$(BIN)/pip install -q -c constraints.txt -r $(VENV)/$*.txt
	touch $@
