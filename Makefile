# Mouthpiece: `make demo` and `make test` need Python 3.11, git, make and a package index; everything else they set up.

PYTHON ?= python3
BACKEND := .venv
BLENDER_MODULE := .venv-blender
PY := $(BACKEND)/bin/python
BPY := $(BLENDER_MODULE)/bin/python
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' blender_manifest.toml)
ZIP := dist/mouthpiece-$(VERSION).zip
# the oldest Blender that is supported, and each since that changed how animation is stored
OLDER_BLENDERS := 4.2.23 4.4.0 4.5.15

export MOUTHPIECE_BACKEND_PYTHON := $(CURDIR)/$(PY)

.PHONY: help demo demo-own-rig test test-slow test-blenders lint format package lock bench environments clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

environments: $(BACKEND)/.ready $(BLENDER_MODULE)/.ready  ## the two virtual environments: the backend's and Blender's

$(BACKEND)/.ready: pyproject.toml constraints.txt
	$(PYTHON) tools/require_python.py
	$(PYTHON) -m venv $(BACKEND)
	$(BACKEND)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(BLENDER_MODULE)/.ready: requirements-blender.txt
	$(PYTHON) tools/require_python.py
	$(PYTHON) -m venv $(BLENDER_MODULE)
	$(BLENDER_MODULE)/bin/pip install --quiet --disable-pip-version-check --requirement requirements-blender.txt
	$(BPY) tools/check_bpy.py
	touch $@

.venv-blender-%/.ready: requirements-blender.txt
	$(PYTHON) tools/require_python.py
	$(PYTHON) -m venv .venv-blender-$*
	sed 's/^bpy==.*/bpy==$*/' requirements-blender.txt > .venv-blender-$*/requirements.txt
	.venv-blender-$*/bin/pip install --quiet --disable-pip-version-check --requirement .venv-blender-$*/requirements.txt
	touch $@

demo: environments  ## speech in, talking head out: a .blend, a video with sound, a picture of the curves (folder out/demo)
	$(PY) -m demo

demo-own-rig: environments  ## a head with eight sliders of its own is taught and speaks; needs flite (folder out/own_rig)
	$(PY) -m demo.own_rig

test: environments  ## all tests but the slow ones
	$(PY) -m pytest -m "not slow" tests --ignore=tests/addon --ignore=tests/real_blender
	$(BPY) -m pytest -m "not slow" tests/addon

test-slow: environments  ## the slow tests
	$(PY) -m pytest -m slow tests --ignore=tests/addon --ignore=tests/real_blender

test-blenders: $(OLDER_BLENDERS:%=test-blender-%)  ## the add-on's tests in older Blenders, each in an environment of its own

test-blender-%: environments .venv-blender-%/.ready
	.venv-blender-$*/bin/python -m pytest -m "not slow" -rs tests/addon

lint: $(BACKEND)/.ready  ## style and types
	$(BACKEND)/bin/ruff check .
	$(BACKEND)/bin/ruff format --check .
	$(BACKEND)/bin/pyright

format: $(BACKEND)/.ready  ## put every file in house style
	$(BACKEND)/bin/ruff check --fix .
	$(BACKEND)/bin/ruff format .

package: environments  ## the installable extension, built by Blender's own tool and checked
	$(BPY) tools/package.py

lock: $(BACKEND)/.ready  ## pin the packages that *Install Backend* installs, from pyproject.toml and constraints.txt
	$(BACKEND)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(PY) tools/lock.py

bench: environments  ## speed table
	$(PY) -m backend bench

clean:  ## remove what the commands made; the environments stay
	rm -rf dist out runs
