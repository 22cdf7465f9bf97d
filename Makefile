# `make demo` and `make test` set up all they need in .venv and ask only for Python 3.11 or newer.

PYTHON ?= python3
VIDEO ?= examples/film.mp4
OUT ?= out
BIN := .venv/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test lint types benchmark clean

help:
	@echo "make demo            score examples/film.mp4 (or VIDEO=my.mp4) into $(OUT)/"
	@echo "make test            run every test"
	@echo "make lint types      check style and types"
	@echo "make benchmark       print the figures of benchmark/"
	@echo "make clean           remove .venv and $(OUT)/"

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Reelscore needs Python 3.11 or newer; set PYTHON=python3.11 or the like.")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[dev,fluidsynth,neural,llm,listening]"
	touch $@

demo: .venv/installed
	@mkdir -p "$(OUT)"
	$(BIN)/reelscore score "$(VIDEO)" --output "$(OUT)/$(notdir $(VIDEO))" --report "$(OUT)/report.json"
	@echo "report     $(OUT)/report.json, and as a picture $(OUT)/report.png"

test: .venv/installed-dev
	$(BIN)/python -m pytest -n auto

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

benchmark: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[benchmark]"
	$(BIN)/python -m pip install --quiet --no-deps --target .venv/reference descript-audio-codec stable-audio-tools audiocraft==1.3.0 vit-pytorch einops einops-exts packaging
	PYTHONPATH=.venv/reference $(BIN)/python -m benchmark

clean:
	rm -rf .venv "$(OUT)"
