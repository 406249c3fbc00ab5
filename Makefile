# Every target sets up what it needs by itself, and says first what that is; the second time that takes no time.
#
#   make demo [DEVICE=/dev/ttyACM0]   convert, push and run a small network (on this computer, or a board)
#   make test                         all tests but the slow ones; the engine's on this computer and two emulated boards
#                                     (NNMICRO_BOARDS=0: without these, and the 1.2 GB that they need)
#                                     ULAB=FOLDER, a checkout of micropython-ulab: besides, on a device that has it
#   make test-device DEVICE=…         the engine's tests on any device: /dev/ttyACM0, emu:rpi_pico, …
#   make test-all                     all tests
#   make bench                        measurements; writes tests/bench/RESULTS.md
#   make lint                         ruff, mypy, and the engine's type stubs against the engine
#   make dist                         wheel, firmware, native modules, packages for `mpremote mip install`, in dist/
#   make firmware BOARD=rpi_pico      build MicroPython with the engine in it; CONTENTS=full, kernels or stock: with more or less,
#                                     FAMILY=int8 or float: the kernels of such models alone,
#                                     ARENA=BYTES, USER_C_MODULES=FOLDER, MICROPYTHON=<checkout or tarball>
#   make clean                        remove .venv and what tests and tools left in this folder

TEST_DEVICE := $(DEVICE)
DEVICE ?= unix
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test test-device test-all bench lint dist firmware clean setup-python setup-run setup-dev setup-dev-without-boards

demo: setup-run
	@$(BIN)/nnmicro demo --device "$(DEVICE)"

test: setup-dev
	@DEVICE="$(TEST_DEVICE)" ULAB="$(ULAB)" $(PYTEST) -m "not slow and not bench" $(ARGS)

test-device: setup-dev-without-boards
	@DEVICE="$(DEVICE)" $(PYTEST) tests/device $(ARGS)

test-all: setup-dev
	@DEVICE="$(TEST_DEVICE)" ULAB="$(ULAB)" $(PYTEST) -m "not bench" $(ARGS)

bench: setup-dev
	@DEVICE="$(TEST_DEVICE)" $(PYTEST) -m bench $(ARGS)
	@$(BIN)/python -m tests.bench.results

firmware: setup-python
	@$(if $(BOARD),,$(error Say which board, as in `make firmware BOARD=rpi_pico`))
	@$(BIN)/python -m firmware.build $(BOARD) $(if $(CONTENTS),--contents $(CONTENTS)) \
	    $(if $(FAMILY),--family $(FAMILY)) $(if $(ARENA),--arena $(ARENA)) $(if $(USER_C_MODULES),--user-c-modules "$(USER_C_MODULES)")

lint: setup-dev-without-boards
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m host_tools.distribution.check_stubs

dist: setup-dev
	@$(BIN)/python -m host_tools.distribution

clean:
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "MicroPython's source and builds stay in $${NNMICRO_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/nnmicro}."

setup-python:
	@sh host_tools/bootstrap.sh python

setup-run:
	@sh host_tools/bootstrap.sh run

setup-dev:
	@sh host_tools/bootstrap.sh dev

setup-dev-without-boards:
	@NNMICRO_BOARDS=0 sh host_tools/bootstrap.sh dev
