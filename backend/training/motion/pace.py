# SPDX-License-Identifier: GPL-3.0-or-later
"""Pace: how many clips a second the trainer handles, with batches of clips of similar length against one by one.

Everything of a step counts: drawing clips, padding, both passes, the optimizer, the moving average. The first epoch, in
which the clips are read from the disk, does not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from backend import machine
from backend.checkpoint import SpaceRecord
from backend.face import arkit
from backend.training import loop
from backend.training.config import parse, read_table
from backend.training.run import begin

from . import motion_model, motion_set
from .batches import MotionBatches
from .clip import SAMPLE_RATE
from .config import MotionConfig
from .motion_set import Header, MotionSet, PreparedClip
from .regression import Regression
from .train import Sources, plan_of

CONFIG = Path(__file__).parents[2] / "configs" / "unitalker_tiny.toml"
CLIPS = 64
SHORTEST, LONGEST = 1.0, 5.0
"""Seconds."""
FPS = 30.0
BATCH = 16


@dataclass(frozen=True)
class Pace:
    """What was measured."""

    config: str
    one_by_one: float
    """Clips a second of one thread's computing time in batches of one."""
    in_batches: float
    """The same in batches of `BATCH`."""

    @property
    def ratio(self) -> float:
        return self.in_batches / self.one_by_one


def measure(folder: Path, rounds: int = 3) -> Pace:
    """Trains the smallest shipped config on noise in a folder, in turn with both sizes of batches; medians of epochs.

    Computing time and one thread, so that neither a busy machine nor its number of cores counts.
    """
    machine.keep_freed_memory(machine.ALL)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = _noise(folder / "noise")
        seconds: Mapping[int, list[float]] = {1: [], BATCH: []}
        trainers = {size: _Trainer(found, size, folder / str(size)) for size in seconds}
        for number in range(rounds + 1):
            for size, trainer in trainers.items():
                taken = trainer.epoch()
                if number:  # the first is for warming up
                    seconds[size].append(taken)
    finally:
        torch.set_num_threads(threads)
    return Pace(CONFIG.stem, *(CLIPS / statistics.median(taken) for taken in seconds.values()))


class _Trainer:
    """A run of its own with one size of batches."""

    def __init__(self, found: MotionSet, batch: int, folder: Path) -> None:
        config = parse(MotionConfig, read_table(CONFIG, [f"sampling.batch={batch}"]), CONFIG)
        start = motion_model.build(config, [found])
        rows = {name: row for row, name in enumerate(start.identities)}
        self._batches = MotionBatches([found], rows, config.sampling, config.seed)
        plan = plan_of(config, Sources([found]), start, self._batches.steps_per_epoch)
        self._run = begin(Regression(start.model, start.spaces), plan, folder)
        self._run.let_learn("all")

    def epoch(self) -> float:
        """Seconds that all clips take once."""
        began = time.process_time()
        for _ in range(self._batches.steps_per_epoch):
            loop.train_step(self._run, self._batches.pieces(self._run.step))
        return time.process_time() - began


def _noise(home: Path) -> MotionSet:
    """A prepared data set of noise, as long and as wide as short sentences with ARKit's controls."""
    random = np.random.default_rng(0)
    space = replace(arkit(FPS), name="pace")
    clips = []
    for number, seconds in enumerate(random.permutation(np.linspace(SHORTEST, LONGEST, CLIPS))):
        samples, frames = round(seconds * SAMPLE_RATE), round(seconds * FPS)
        clip = PreparedClip(f"{number:02}", "noise/1", "train", FPS, samples, frames)
        for path in (home / clip.audio, home / clip.motion):
            path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(home / clip.audio, 0.1 * random.standard_normal(samples).clip(-3, 3), SAMPLE_RATE)
        np.save(home / clip.motion, random.random((frames, space.dim), np.float32))
        clips.append(clip)
    np.save(home / motion_set.TEMPLATES, np.zeros((1, space.dim), np.float32))
    header = Header(motion_set.FORMAT, "noise", "clips", "", SpaceRecord.of(space), ("noise/1",))
    found = MotionSet(home, header, tuple(clips))
    motion_set.write(found)
    return found
