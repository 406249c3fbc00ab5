# Every target sets up what it needs by itself, and says first what that is; the second time that takes no time.
#
#   make demo [DEVICE=/dev/ttyACM0]   convert, push and run a small network (on this computer, or a board)
#   make test                         all tests but the slow ones
#   make test-all                     all tests
#   make bench                        measurements
#   make lint                         ruff and mypy
#   make clean                        remove .venv and what tests and tools left in this folder

DEVICE ?= unix
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test test-all bench lint clean setup-run setup-dev

demo: setup-run
	@$(BIN)/nnmicro demo --device "$(DEVICE)"

test: setup-dev
	@DEVICE="$(DEVICE)" $(PYTEST) -m "not slow and not bench" $(ARGS)

test-all: setup-dev
	@DEVICE="$(DEVICE)" $(PYTEST) -m "not bench" $(ARGS)

bench: setup-dev
	@DEVICE="$(DEVICE)" $(PYTEST) -m bench $(ARGS)

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy

clean:
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "MicroPython's source and builds stay in $${NNMICRO_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/nnmicro}."

setup-run:
	@sh host_tools/bootstrap.sh run

setup-dev:
	@sh host_tools/bootstrap.sh dev
