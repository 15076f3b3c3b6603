# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of annotated clips: of one FaceSpace each, of similar length; batch i is the same in every run of a seed.

A step's batch may be cut into pieces, for several processes or to be computed one after the other. What is drawn does
not depend on it: two pieces of 8 clips are the batch of 16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from backend.training.errors import CorpusError
from backend.training.task import Piece
from torch import Tensor

from .clip import Clip
from .config import SamplingConfig
from .motion_set import MotionSet, PreparedClip
from .regression import MotionBatch, collate, with_pivot

POOL = 16
"""Batches whose clips are sorted by length together, so that little of a batch is padding."""
KEPT_BYTES = 1 << 30
"""Clips up to this amount stay in memory when they have been read."""
_ORDER, _PIVOT = range(2)


class Source(NamedTuple):
    """One training clip."""

    prepared: MotionSet
    clip: PreparedClip


class MotionBatches:
    """The training clips of data sets, drawn epoch by epoch."""

    def __init__(
        self, sets: Sequence[MotionSet], rows: Mapping[str, int], config: SamplingConfig, seed: int, cuts: int = 1
    ) -> None:
        """`rows` of the identity table by name; a step has `cuts` pieces of the config's batch size.

        Raises CorpusError for a set without training clips.
        """
        self.rows = rows
        self.config = config
        self.seed = seed
        self.cuts = cuts
        self.size = config.batch * cuts
        self.sources = _by_space(sets, config)
        self.steps_per_epoch = sum(-(-len(found) // self.size) for found in self.sources.values())
        self._epoch = -1
        self._batches: list[list[Source]] = []
        self._kept: dict[tuple[str, str], Clip] = {}
        self._room = KEPT_BYTES

    def pieces(self, step: int, wanted: Sequence[int] = (0,)) -> list[Piece[MotionBatch]]:
        """Some of the pieces of a step's batch, by number; one of no weight where all of these have no clip.

        Raises CorpusError, naming the file, for a clip that is broken.
        """
        epoch, number = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._drawn(epoch)
        sources = self._batches[number]
        rows = self._rows(sources, step)
        places = np.array_split(np.arange(len(sources)), self.cuts)
        chosen = [places[piece] for piece in wanted if len(places[piece])]
        pieces = [Piece(self._collated(sources, rows, each), len(each) / len(sources)) for each in chosen]
        return pieces or [Piece(self._collated(sources, rows, places[0][:1]), 0.0)]

    def _collated(self, sources: Sequence[Source], rows: Tensor, places: np.ndarray) -> MotionBatch:
        """Some clips of a batch as a batch of their own."""
        chosen = [sources[place] for place in places]
        clips = [self._clip(source) for source in chosen]
        batch = collate(chosen[0].prepared.space.name, clips, rows[places].tolist())
        return replace(batch, data_sets=tuple(dict.fromkeys(source.prepared.name for source in chosen)))

    def _clip(self, source: Source) -> Clip:
        key = source.prepared.name, source.clip.name
        if (clip := self._kept.get(key)) is None:
            clip = source.prepared.load(source.clip)
            size = clip.samples.nbytes + clip.motion.nbytes + clip.template.nbytes
            if size <= self._room:
                self._kept[key] = clip
                self._room -= size
        return clip

    def _rows(self, sources: Sequence[Source], step: int) -> Tensor:
        """Identity rows of a whole batch."""
        rows = torch.tensor([self.rows[source.clip.identity] for source in sources])
        return with_pivot(rows, len(self.rows), np.random.default_rng((self.seed, _PIVOT, step)), self.config.pivot)

    def _drawn(self, epoch: int) -> list[list[Source]]:
        """All batches of an epoch in their order."""
        random = np.random.default_rng((self.seed, _ORDER, epoch))
        batches = [batch for found in self.sources.values() for batch in _batches(found, self.size, random)]
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
