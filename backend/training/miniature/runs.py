# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the plan: every run that has no result yet is trained and measured; results are one JSON file each."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backend import checkpoint
from backend.settings import from_plain, to_plain
from backend.training.config import parse, read_table
from backend.training.errors import ConfigError
from backend.training.motion import train
from backend.training.motion.config import MotionConfig
from backend.training.motion.meshes import MeshFiles
from backend.training.motion.motion_set import MotionSet, write_text

from . import ear, measure
from .bench import Bench
from .measure import Figures
from .plan import EAR, SCRATCH, Variant
from .sets import PHONES, UNSEEN

CONFIG = Path(__file__).parents[2] / "configs" / "miniature.toml"


@dataclass(frozen=True)
class Result:
    """What a run gave."""

    variant: str
    seed: int
    changes: tuple[str, ...]
    steps: int
    seconds: float
    """Of computing, on one core."""
    figures: dict[str, Figures]
    """By data set."""
    strangers: dict[str, dict[str, Figures]]
    """By who speaks for everybody, and data set; mostly empty."""


@dataclass(frozen=True, eq=False)
class Workshop:
    """Where runs are carried out."""

    folder: Path
    bench: Bench
    changes: tuple[str, ...]
    """To the config of all runs."""

    def model(self, variant: Variant, seed: int) -> Path:
        """The model file of a run."""
        return self.folder / "models" / f"{_run_name(variant, seed)}.safetensors"

    def result(self, variant: Variant, seed: int) -> Path:
        """The result file of a run."""
        return self.folder / "results" / f"{_run_name(variant, seed)}.json"


def carry_out(workshop: Workshop, runs: Iterable[tuple[Variant, int]], by_name: Mapping[str, Variant]) -> list[Result]:
    """The results of runs, those that were there and those that were missing.

    Raises ConfigError for a result that another plan left in the folder, and what training raises.
    """
    return [_found(workshop, variant, seed) or _made(workshop, variant, seed, by_name) for variant, seed in runs]


def read(path: Path) -> Result:
    """A result file."""
    return from_plain(Result, json.loads(path.read_text(encoding="utf-8")), path.name)


def _run_name(variant: Variant, seed: int) -> str:
    return f"{variant.name}-{seed}"


def _found(workshop: Workshop, variant: Variant, seed: int) -> Result | None:
    path = workshop.result(variant, seed)
    if not path.is_file():
        return None
    result = read(path)
    if result.changes != _changes(workshop, variant, seed):
        raise ConfigError(f"{path} is the result of another plan; name another folder, or delete this file.")
    return result


def _made(workshop: Workshop, variant: Variant, seed: int, by_name: Mapping[str, Variant]) -> Result:
    sets = _sets(workshop.bench, variant)
    changes = _changes(workshop, variant, seed)
    config = parse(MotionConfig, read_table(CONFIG, changes), CONFIG)
    schedule = config.schedule
    longer = {name: getattr(schedule, name) * variant.longer for name in ("epochs", "decoder_epochs", "validate_every")}
    config = replace(config, name=variant.name, schedule=replace(schedule, **longer))
    began = time.process_time()
    model, folder = workshop.model(variant, seed), workshop.folder / "runs" / _run_name(variant, seed)
    best = train.train(config, _sources(workshop, variant, seed, by_name, sets), folder, _parent(model))
    seconds = round(time.process_time() - began, 1)
    loaded = checkpoint.load(model)
    steps = int(loaded.info.training["step"])
    options = workshop.bench.options
    figures = {} if PHONES.name in sets else measure.measured(loaded, sets, options)
    strangers = measure.as_strangers(loaded, sets, options) if variant.with_strangers else {}
    result = Result(variant.name, seed, changes, steps, seconds, figures, strangers)
    write_text(_parent(workshop.result(variant, seed)), json.dumps(to_plain(result), indent=1))
    shutil.rmtree(best.parent)
    return result


def _changes(workshop: Workshop, variant: Variant, seed: int) -> tuple[str, ...]:
    return (*workshop.changes, *variant.changes, f"seed={seed}")


def _sources(
    workshop: Workshop, variant: Variant, seed: int, by_name: Mapping[str, Variant], sets: Mapping[str, MotionSet]
) -> train.Sources:
    """The data sets, and the run that a variant begins with."""
    meshes = MeshFiles() if PHONES.name in sets else measure.meshes_of(workshop.bench.options, sets.values())
    if variant.begin == SCRATCH:
        return train.Sources(list(sets.values()), meshes=meshes)
    if variant.begin == EAR:
        path = ear.write(workshop.folder / "models" / f"{EAR}.safetensors")
    else:
        before = by_name[variant.begin]
        path = workshop.model(before, 1 if before.is_only_once else seed)
    begin = checkpoint.load(path)
    return train.Sources(list(sets.values()), begin, new_decoder=not variant.keeps_decoder, meshes=meshes)


def _sets(bench: Bench, variant: Variant) -> dict[str, MotionSet]:
    if variant.share:
        return {UNSEEN.name: bench.shares[variant.share]}
    return {name: bench.sets[name] for name in variant.sets}


def _parent(path: Path) -> Path:
    """The path, whose folder is there then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
