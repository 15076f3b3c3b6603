# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of annotated clips: of one FaceSpace each, of similar length; batch i is the same in every run of a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from backend.training.errors import CorpusError

from .config import SamplingConfig
from .motion_set import MotionSet, PreparedClip
from .regression import MotionBatch, collate, with_pivot

POOL = 16
"""Batches whose clips are sorted by length together, so that little of a batch is padding."""
_ORDER, _PIVOT = range(2)


class Source(NamedTuple):
    """One training clip."""

    prepared: MotionSet
    clip: PreparedClip


class MotionBatches:
    """The training clips of data sets, drawn epoch by epoch."""

    def __init__(self, sets: Sequence[MotionSet], rows: Mapping[str, int], config: SamplingConfig, seed: int) -> None:
        """`rows` of the identity table by name. Raises CorpusError for a set without training clips."""
        self.rows = rows
        self.config = config
        self.seed = seed
        self.sources = _by_space(sets, config)
        self.steps_per_epoch = sum(-(-len(found) // config.batch) for found in self.sources.values())
        self._epoch = -1
        self._batches: list[list[Source]] = []

    def batch(self, step: int) -> MotionBatch:
        """The batch of one step. Raises CorpusError, naming the file, for a clip that is broken."""
        epoch, number = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._drawn(epoch)
        sources = self._batches[number]
        rows = [self.rows[source.clip.identity] for source in sources]
        batch = collate(sources[0].prepared.space.name, [each.prepared.load(each.clip) for each in sources], rows)
        random = np.random.default_rng((self.seed, _PIVOT, step))
        return replace(batch, identity=with_pivot(batch.identity, len(self.rows), random, self.config.pivot))

    def _drawn(self, epoch: int) -> list[list[Source]]:
        """All batches of an epoch in their order."""
        random = np.random.default_rng((self.seed, _ORDER, epoch))
        batches = [batch for found in self.sources.values() for batch in _batches(found, self.config.batch, random)]
        return [batches[place] for place in random.permutation(len(batches))]


def _by_space(sets: Sequence[MotionSet], config: SamplingConfig) -> dict[str, list[Source]]:
    by_space: dict[str, list[Source]] = {}
    for prepared in sets:
        clips = prepared.split("train")
        if not clips:
            raise CorpusError(f"{prepared.folder} has no clip to train on.")
        repeated = clips * config.repeats.get(prepared.name, 1)
        by_space.setdefault(prepared.space.name, []).extend(Source(prepared, clip) for clip in repeated)
    return by_space


def _batches(sources: list[Source], size: int, random: np.random.Generator) -> list[list[Source]]:
    """Shuffled batches; only clips that are drawn near each other are sorted by length."""
    shuffled = [sources[place] for place in random.permutation(len(sources))]
    pools = [shuffled[start : start + size * POOL] for start in range(0, len(shuffled), size * POOL)]
    ordered = [source for pool in pools for source in sorted(pool, key=lambda each: each.clip.samples)]
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
