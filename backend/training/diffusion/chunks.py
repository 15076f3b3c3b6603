# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks of annotated clips: batches of one FaceSpace and about one length; batch i is the same in every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from backend.training.errors import CorpusError
from backend.training.lips.augment import vary
from backend.training.lips.config import AugmentConfig
from backend.training.motion.batches import Source
from backend.training.motion.clip import SAMPLE_RATE, Clip
from backend.training.motion.motion_set import MotionSet
from backend.training.motion.regression import MotionBatch, collate
from backend.training.speech import sounds

from .config import SamplingConfig

_SOUNDS = 98


class Chunks:
    """The clips of data sets, from which chunks are drawn."""

    def __init__(
        self,
        sets: Sequence[MotionSet],
        rows: Mapping[str, int],
        config: SamplingConfig,
        augment: AugmentConfig | None,
        seed: int,
        *,
        validation: bool = False,
    ) -> None:
        """`rows` of the identity table by name. Raises CorpusError for a set without training clips.

        With `validation`, chunks of the validation clips; of sets that have none, of the training clips.
        """
        self.rows, self.config, self.augment, self.seed = rows, config, augment, seed
        self.sources: dict[str, list[Source]] = {}
        for prepared in sets:
            clips = (validation and prepared.split("val")) or prepared.split("train")
            if not clips:
                raise CorpusError(f"{prepared.folder} has no clip to train on.")
            found = self.sources.setdefault(prepared.space.name, [])
            found += [Source(prepared, clip) for clip in clips if clip.identity in rows]
        self._sounds = None if augment is None else sounds.bank(_SOUNDS, 2 * config.seconds + 1, seed)

    def batch(self, number: int) -> MotionBatch:
        """One batch; a space comes as often as it has clips. Raises CorpusError, naming the file, for a broken one."""
        random = np.random.default_rng((self.seed, number))
        counts = np.array([len(found) for found in self.sources.values()])
        space = list(self.sources)[random.choice(len(counts), p=counts / counts.sum())]
        found = self.sources[space]
        drawn = [found[place] for place in random.integers(len(found), size=self.config.batch)]
        chunks = [_chunk(each.prepared.load(each.clip), self.config.seconds, random) for each in drawn]
        batch = collate(space, chunks, [self.rows[each.clip.identity] for each in drawn])
        names = tuple(sorted({each.prepared.name for each in drawn}))
        return self._varied(replace(batch, data_sets=names), random)

    def _varied(self, batch: MotionBatch, random: np.random.Generator) -> MotionBatch:
        if self.augment is None or self._sounds is None:
            return batch
        return replace(batch, audio=torch.from_numpy(vary(batch.audio.numpy(), self._sounds, self.augment, random)))


def _chunk(clip: Clip, seconds: float, random: np.random.Generator) -> Clip:
    """So many seconds from a random frame of the clip on, or the whole of a shorter one."""
    room = len(clip.motion) - round(seconds * clip.fps)
    first = int(random.integers(max(room, 0) + 1))
    start = round(first / clip.fps * SAMPLE_RATE)
    return replace(
        clip,
        samples=clip.samples[start : start + round(seconds * SAMPLE_RATE)],
        motion=clip.motion[first : first + round(seconds * clip.fps)],
    )
