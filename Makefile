# `make demo` swaps a face on the footage in the repository; `make test` runs every check.
# `make test-slow` runs the checks that take minutes. Each sets up what is missing
# first. `make PYTHON=python3.12 ...` chooses the interpreter.

BIN := .venv/bin
PARTS := plugin nodes ocio gizmos
SOURCES := $(shell find $(PARTS) tests/footage -type f -not -path '*/__pycache__/*')
LIFEMASK := $(BIN)/lifemask
FOOTAGE := tests/footage
RENDERS := $(FOOTAGE)/a1_dialogue
SPACE := Linear Rec.709 (sRGB)

.PHONY: demo test test-slow nuke clean
.DELETE_ON_ERROR:

demo: demo/.done
	@echo
	@echo "The pictures are here:"
	@find demo/sh010/look demo/sh010/swaps -maxdepth 1 -mindepth 1 | sort | sed 's/^/  /'
	@find demo/sh010/look -type f | sort | sed 's/^/  /'

test: .venv/.installed build/dev/lifemask/.linked
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

test-slow: .venv/.installed
	$(BIN)/pytest -m slow

# What goes on Nuke's plug-in path: docs/nuke.md.
nuke: .venv/.installed
	@$(BIN)/python -m lifemask.plugin.nuke_folder build/nuke/Lifemask

clean:
	rm -rf .venv build demo *.egg-info

demo/.done: $(SOURCES) .venv/.installed
	rm -rf demo
	$(LIFEMASK) shot new demo/sh010 --plate "$(RENDERS)/performer_b/beauty/beauty.####.exr" \
		--colorspace "$(SPACE)" --fps 24
	$(LIFEMASK) release add demo/sh010 --performer ada --document $(FOOTAGE)/releases/ada.md \
		--project demo --expires 2035-12-31
	$(LIFEMASK) track demo/sh010
	$(LIFEMASK) faceset demo/sh010 --performer ada "$(FOOTAGE)/takes/ada_*/*.####.exr" \
		--colorspace "$(SPACE)"
	$(LIFEMASK) faceset demo/sh010 --double
	$(LIFEMASK) swap demo/sh010 --likeness ada
	$(LIFEMASK) truth demo/sh010/swaps/ada_v001 --shot $(RENDERS)
	$(LIFEMASK) look demo/sh010
	touch $@

.venv/.made: .ci/venv
	.ci/venv
	touch $@

.venv/.installed: .venv/.made pyproject.toml setup.py
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# The package as links, for tools that read files instead of importing them.
build/dev/lifemask/.linked: Makefile
	mkdir -p $(@D)
	for part in $(PARTS); do ln -sfn ../../../$$part $(@D)/$$part; done
	touch $@
