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

.PHONY: help demo demo-own-rig demo-styles test test-slow test-blenders faults lint format package lock bench default-model more-people environments clean

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

demo-styles: environments  ## one sentence in three styles, by three heads side by side: a video with sound (folder out/styles)
	$(PY) -m demo.styles

test: environments  ## all tests but the slow ones
	$(PY) -m pytest --numprocesses 2 --dist loadfile -m "not slow" tests --ignore=tests/addon --ignore=tests/real_blender --ignore=tests/faults/addon
	$(BPY) -m pytest -m "not slow" tests/addon
	$(BPY) -m pytest tests/faults/addon

test-slow: environments  ## the slow tests
	$(PY) -m pytest --numprocesses 2 --dist loadfile -m slow tests --ignore=tests/addon --ignore=tests/real_blender --ignore=tests/faults
	$(BPY) -m pytest -m slow tests/addon

faults: environments  ## every fault as often as docs/reliability.md promises, and the page's table of what came of it
	$(PY) -m pytest --full --figures out/faults tests/faults/backend
	$(BPY) -m pytest --full --figures out/faults tests/faults/addon
	$(PY) tools/reliability.py out/faults

.SECONDARY: $(OLDER_BLENDERS:%=.venv-blender-%/.ready)

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

bench: environments  ## speed and memory, as ratios; BENCH="--only unitalker-b --compare FILE" and the like for a part of it
	$(PY) -m backend bench $(BENCH)

# How the shipped default model was made, each run from where the one before had ended: from nothing; in rougher sound; the motion
# decoder alone, at last with two seeds, whose mean goes on; with a second picture of the sound in white noise, then in all kinds
# of noise; the decoder alone again.
# docs/training_default.md tells what it needs and what each line reads and writes.
MODEL := runs/default
UNPACKED := $(MODEL)/packages
CORES = $(shell $(PY) -c "import os; print(os.cpu_count())")
# Large pages of memory, with which a step took a tenth less. Only Linux knows these two; elsewhere they do nothing.
LARGE_PAGES := GLIBC_TUNABLES=glibc.malloc.hugetlb=1 THP_MEM_ALLOC_ENABLE=1
# Without a graphics card two processes share every batch of 16: on two cores a step takes three quarters of the time of one process.
PROCESSES = $(eval PROCESSES := $(shell $(PY) -c "from backend import device; print(min($(CORES), 2) if device.choose('auto') == 'cpu' else 1)"))$(PROCESSES)
TOGETHER = $(LARGE_PAGES) $(PY) -m torch.distributed.run --standalone --nproc-per-node $(PROCESSES) -m backend --
THREADS = $(shell expr \( $(CORES) + $(PROCESSES) - 1 \) / $(PROCESSES))
TRAIN = $(TOGETHER) train $(WATCH:%=--watch %) --threads $(THREADS) --set data.batch=$(shell expr 16 / $(PROCESSES))
LEARN = $(TRAIN) --data $(MODEL)/set
ROUGH_SOUND := data.rest=0.12 data.recorded=0.5 augment.recorded=0.6 \
	augment.noise=0.9 augment.white=0.5 augment.white_from=-3.0 augment.loudest_noise=-6.0 augment.whispered=0.05 augment.shouted=0.04 \
	augment.interrupted=0.6 augment.loudest_interruption=12.0 augment.gasps=0.6
ONE_PICTURE := model.encoder.above_floor=false
CLEAN := $(ONE_PICTURE) optimizer.validate_every=1000
ROUGHER := $(ONE_PICTURE) optimizer.steps=1000 optimizer.rate=1e-3 optimizer.last_rate=8.8e-4 optimizer.warmup=100 seed=2 importance.jawOpen=2.0 \
	data.pivot=0.65 $(ROUGH_SOUND)
DECODER := $(ONE_PICTURE) learn=decoder optimizer.rate=1e-3 optimizer.average=0.995 data.pivot=0.5 losses.pause=25.0 $(ROUGH_SOUND)
MOUTH := $(DECODER) seed=2 optimizer.steps=1500 optimizer.warmup=100 optimizer.validate_every=750 importance.jawOpen=4.0
SURER := $(DECODER) optimizer.steps=600 optimizer.warmup=50 optimizer.validate_every=600 importance.jawOpen=6.0 \
	losses.closure=0.12 shut_weight=2.5
SEEDS := 3 4
CLOSING := losses.pause=25.0 losses.closure=0.12 shut_weight=2.5
HISS := $(CLOSING) optimizer.steps=2500 optimizer.rate=1e-3 optimizer.warmup=100 optimizer.average=0.995 \
	optimizer.validate_every=1250 importance.jawOpen=3.0 data.pivot=0.65 augment.clean=0.02 augment.noise=0.95 augment.white=0.75 augment.white_from=8 augment.white_to=14 augment.reverb=0.3
NOISY := $(ROUGH_SOUND) $(CLOSING) optimizer.steps=700 optimizer.rate=8e-4 optimizer.last_rate=7.6e-4 optimizer.warmup=100 optimizer.validate_every=700 \
	seed=5 importance.jawOpen=4.0 data.pivot=0.6 augment.white=0.55 augment.white_from=4 augment.white_to=22
LAST := learn=decoder $(ROUGH_SOUND) $(CLOSING) losses.pause=30.0 optimizer.steps=600 optimizer.rate=1e-3 optimizer.warmup=50 \
	optimizer.average=0.995 optimizer.validate_every=600 seed=7 importance.jawOpen=6.0 data.pivot=0.5 \
	augment.white=0.65 augment.white_from=5 augment.white_to=17

default-model: environments $(UNPACKED)  ## the default model from nothing: PEOPLE=aligned recordings to learn from, WATCH=some to watch it with
	$(PY) -m backend synthesize $(MODEL)/corpus --strict --processes $(CORES)
	$(PY) -m backend collect $(UNPACKED) $(MODEL)/names --processes $(CORES)
	$(PY) -m backend unspoken $(UNPACKED) $(MODEL)/unspoken
	$(PY) -m backend prepare $(PEOPLE) $(MODEL)/corpus $(MODEL)/names $(MODEL)/unspoken --output $(MODEL)/set --processes $(CORES)
	$(LEARN) --run $(MODEL)/run --output $(MODEL)/clean.safetensors --last $(CLEAN:%=--set %)
	$(LEARN) --run $(MODEL)/rougher --from $(MODEL)/clean.safetensors --output $(MODEL)/rough.safetensors --last $(ROUGHER:%=--set %)
	$(LEARN) --run $(MODEL)/mouth --from $(MODEL)/rough.safetensors --output $(MODEL)/mouth.safetensors --last $(MOUTH:%=--set %)
	for seed in $(SEEDS); do \
		$(LEARN) --run $(MODEL)/surer_$$seed --from $(MODEL)/mouth.safetensors --output $(MODEL)/surer_$$seed.safetensors --last \
			$(SURER:%=--set %) --set seed=$$seed || exit 1; \
	done
	$(PY) -m backend average $(SEEDS:%=$(MODEL)/surer_%.safetensors) --output $(MODEL)/sure.safetensors
	$(LEARN) --run $(MODEL)/hiss --from $(MODEL)/sure.safetensors --output $(MODEL)/hiss.safetensors --last $(HISS:%=--set %)
	$(LEARN) --run $(MODEL)/noisy --from $(MODEL)/hiss.safetensors --output $(MODEL)/noisy.safetensors --last $(NOISY:%=--set %)
	$(LEARN) --run $(MODEL)/last --from $(MODEL)/noisy.safetensors --output $(MODEL)/default.safetensors --last $(LAST:%=--set %)

# What did not make a better model (docs/default_model_trials.md): more people whom Debian's packages hold, for whoever wants to go on.
DEBIAN := $(MODEL)/debian
LIVELY := optimizer.steps=2800 optimizer.rate=1e-3 optimizer.warmup=60 optimizer.validate_every=200 optimizer.average=0.997
# It learns from recordings under version 2 of the GPL alone, beside others under version 3: no licence allows to pass it on.
OWN_USE := 'licence="own use only: GPL-2.0-only beside GPL-3.0-or-later data"'
THANKS := 'attribution="The data of the Mouthpiece default model (backend/weights/README.md), and the dialogues of fillets-ng-data-cs and -nl (ALTAR interactive and others; GPL-2.0-only)."'

more-people: environments $(DEBIAN)  ## go on from `default-model` with more people in Debian's packages: PEOPLE, WATCH as there
	$(PY) -m backend collect $(DEBIAN) $(MODEL)/collected --processes $(CORES)
	$(PY) -m backend prepare $(PEOPLE) $(MODEL)/corpus $(MODEL)/collected --output $(MODEL)/more --processes $(CORES)
	$(TRAIN) --data $(MODEL)/more --run $(MODEL)/more-people \
		--from $(MODEL)/default.safetensors --output $(MODEL)/more-people.safetensors $(LIVELY:%=--set %) \
		--set $(OWN_USE) --set $(THANKS)

# packages with recordings, unpacked; elsewhere than on Debian, put them there by hand
$(UNPACKED): PACKAGES := tuxpaint-stamps-default warmux-data
$(DEBIAN): PACKAGES := tuxpaint-stamps-default fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl
$(UNPACKED) $(DEBIAN):
	mkdir -p $@.archives
	cd $@.archives && apt-get download $(PACKAGES)
	for archive in $@.archives/*.deb; do dpkg-deb -x $$archive $@.part || exit 1; done
	mv $@.part $@

clean:  ## remove what the commands made; the environments stay
	rm -rf dist out runs
