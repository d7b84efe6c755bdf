# The few commands a newcomer types. `make demo` and `make test` need nothing before.
# Another Python: make test PYTHON=python3.12

SHELL := /bin/bash
VENV ?= .venv
PYTEST_ARGUMENTS ?=
export VENV PYTHON

.PHONY: help demo test gui bench bench-agent lint docs clean

help:
	@echo "make demo   reconstruct the bundled movie (installs into $(VENV))"
	@echo "make test   install what the tests need and run them, windows with both Qt bindings"
	@echo "make gui    open napari with the plugin"
	@echo "make bench  measure speed beside other programs (half an hour)"
	@echo "make bench-agent  replay how the engine chooses (two minutes)"
	@echo "make lint   check style, types and import rules"
	@echo "make docs   draw the pictures of the documentation"
	@echo "make clean  remove what these commands made"

demo:
	@scripts/setup.sh demo
	@$(VENV)/bin/napari-nanopyx demo

test:
	@scripts/setup.sh test
	@scripts/with_display.sh scripts/test.sh $(PYTEST_ARGUMENTS)

gui:
	@scripts/setup.sh dev
	@$(VENV)/bin/napari --with napari-nanopyx "eSRRF reconstruction"

bench:
	@scripts/setup.sh dev
	@$(VENV)/bin/python -m benchmarks

bench-agent:
	@scripts/setup.sh test
	@$(VENV)/bin/python -m benchmarks.replay

lint:
	@scripts/setup.sh dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/npe2 validate napari.yaml

docs:
	@scripts/setup.sh dev
	$(VENV)/bin/python docs/make_images.py
	$(VENV)/bin/python docs/make_resolution.py
	$(VENV)/bin/python docs/make_settings.py
	scripts/with_display.sh $(VENV)/bin/python docs/make_screenshots.py

clean:
	rm -rf $(VENV) .venv-peer build dist demo-output
