# `make demo` swaps a face on the footage in the repository; `make test` runs every check.
# `make test-slow` runs the checks that take minutes. Each sets up what is missing
# first. `make PYTHON=python3.12 ...` chooses the interpreter.

# A studio sets these for programs of its own; here they bring in other packages, install elsewhere, or
# give the demo and the tests other colours. Whoever runs Lifemask itself has it read $OCIO.
unexport OCIO PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER

BIN := .venv/bin
PARTS := plugin nodes ocio gizmos
SOURCES := $(shell find $(PARTS) tests/footage -type f -not -path '*/__pycache__/*')
LIFEMASK := $(BIN)/lifemask
FOOTAGE := tests/footage
RENDERS := $(FOOTAGE)/a1_dialogue
SPACE := Linear Rec.709 (sRGB)

# Before make 4.4 its shell function knows nothing of `unexport`, nor of variables that make was given.
BLENDERS := $(shell unset PYTHONPATH PYTHONHOME; PYTHON="$(PYTHON)" .ci/blender)
BLENDER_VENVS := $(BLENDERS:%=.venv-blender-%/.made)

# What pip left unfinished, it takes for installed; and the programs in .venv know where it was made.
# Blender's are only used through their python, which runs anywhere.
$(shell [ ! -e .venv/.installing ] && [ "$$(cat .venv/.made 2>/dev/null)" = "$$(pwd -P)" ] || \
	rm -f .venv/.made)

# What all tests share, each process makes for itself: more of them have more to do. A file's tests are run
# by one of them; its order is that of tests/conftest.py.
AT_ONCE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-slow extension nuke generated clean
.DELETE_ON_ERROR:

demo: demo/.done
	@echo
	@echo "The pictures are here:"
	@find demo/*/look demo/*/swaps -maxdepth 1 -mindepth 1 | sort | sed 's/^/  /'
	@find demo/*/look -type f | sort | sed 's/^/  /'

test: .venv/.installed build/dev/lifemask/.linked $(if $(BLENDERS),extension) $(BLENDER_VENVS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest $(AT_ONCE)
	@.ci/blender tested

test-slow: .venv/.installed
	$(BIN)/pytest -m slow

# What Blender installs: docs/blender.md.
extension: build/lifemask_blender.zip
	@echo "The extension for Blender 4.5 to 5.2 is $<"

# What goes on Nuke's plug-in path: docs/nuke.md.
nuke: .venv/.installed
	@$(BIN)/python -m lifemask.plugin.packaging.nuke_folder build/nuke/Lifemask

# What is made from the nodes' declarations and committed: nodes.json, the gizmo, the table of knobs.
generated: .venv/.installed
	for what in declarations gizmo knob_table; do $(BIN)/python -m lifemask.plugin.packaging.$$what || exit 1; done

clean:
	rm -rf .venv .venv-blender-* build demo *.egg-info

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
	@echo "The other way, by the same model: who was the double plays the likeness"
	$(LIFEMASK) shot new demo/sh020 --plate "$(FOOTAGE)/takes/ada_studio/ada_studio.####.exr" \
		--colorspace "$(SPACE)" --fps 24 --frames 1001-1008
	$(LIFEMASK) release add demo/sh020 --performer ben --document $(FOOTAGE)/releases/ben.md \
		--project demo --expires 2035-12-31
	$(LIFEMASK) track demo/sh020
	$(LIFEMASK) faceset demo/sh020 --performer ben "$(RENDERS)/performer_b/beauty/beauty.####.exr" \
		--colorspace "$(SPACE)"
	$(LIFEMASK) faceset demo/sh020 --double
	@echo "Its plate has every second frame of a take, so the shutter is open for a quarter of the time between"
	$(LIFEMASK) swap demo/sh020 --likeness ben --shutter-angle 90
	$(LIFEMASK) look demo/sh020
	touch $@

.venv/.made: .ci/venv .ci/python
	.ci/venv
	pwd -P >$@

.venv/.installed: .venv/.made pyproject.toml setup.py
	touch .venv/.installing
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	rm .venv/.installing
	touch $@

build/lifemask_blender.zip: $(shell find plugin nodes -name '*.py' -o -name '*.toml') \
		.venv/.installed $(firstword $(BLENDER_VENVS))
	@test -n "$(BLENDERS)" || { \
		echo "Blender's own tool builds it, and $$(.ci/blender lacking 'Python 3.11 or 3.13')." >&2; exit 1; }
	$(BIN)/python -m lifemask.plugin.packaging.blender_folder build/extension
	tool=$$(ls .venv-blender-*/lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py \
		| head -1) && python=$(firstword $(BLENDER_VENVS:/.made=))/bin/python && \
		$$python $$tool build --source-dir build/extension --output-filepath $@ && \
		$$python $$tool validate $@

$(BLENDER_VENVS): .venv-blender-%/.made: .ci/blender .ci/python
	.ci/blender $*
	touch $@

# The package as links, for tools that read files instead of importing them.
build/dev/lifemask/.linked: Makefile
	mkdir -p $(@D)
	for part in $(PARTS); do ln -sfn ../../../$$part $(@D)/$$part; done
	touch $@
