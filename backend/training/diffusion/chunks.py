# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks of annotated clips: batches of one FaceSpace and about one length; batch i is the same in every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from backend import emotions
from backend.models.layers import Lengths
from backend.training.errors import CorpusError
from backend.training.lips.augment import vary
from backend.training.lips.config import AugmentConfig
from backend.training.motion.batches import Source
from backend.training.motion.clip import SAMPLE_RATE, Clip
from backend.training.motion.motion_set import MotionSet
from backend.training.motion.regression import MotionBatch, collate
from backend.training.speech import sounds
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .config import SamplingConfig
from .heard import Heard, HeardClip

_SOUNDS = 98


class Labels(NamedTuple):
    """What the rows of a model's tables mean."""

    rows: Mapping[str, int]
    """Of the identities, by name."""
    emotions: Sequence[str]


@dataclass(frozen=True)
class TalkerBatch(MotionBatch):
    """A batch with what is felt in it, and perhaps with what is heard instead of its sound."""

    emotion: Tensor | None = None
    """float32 [B, emotions]: shares that sum up to 1."""
    voice: Tensor | None = None
    """int64 [B]: rows of who is heard; of others than `identity` where a manner is borrowed. None: nowhere."""
    features: Tensor | None = None
    """float32 [B, T, encoder width] at every frame, where the encoder stays as it is; `audio` is empty then."""

    def first(self, count: int) -> TalkerBatch:
        """The first clips of the batch."""
        named = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        cut = {name: value[:count] for name, value in named.items()}
        return replace(self, **cut, lengths=Lengths(*(counts[:count] for counts in self.lengths)))

    def to(self, device: torch.device) -> TalkerBatch:
        """The same batch with its tensors on a device."""
        moved = super().to(device)
        assert isinstance(moved, TalkerBatch)
        own = {"emotion": self.emotion, "voice": self.voice, "features": self.features}
        return replace(moved, **{name: None if value is None else value.to(device) for name, value in own.items()})


class Chunks:
    """The clips of data sets, from which chunks are drawn."""

    def __init__(
        self,
        sets: Sequence[MotionSet],
        labels: Labels,
        config: SamplingConfig,
        augment: AugmentConfig | None,
        seed: int,
        *,
        heard: Heard | None = None,
        validation: bool = False,
    ) -> None:
        """With `heard`, chunks come with what is heard in them instead of their sound, which is not varied then.

        With `validation`, chunks of the validation clips; of sets that have none, of the training clips. Raises
        CorpusError for a set without training clips.
        """
        self.labels, self.config, self.augment, self.seed, self.heard = labels, config, augment, seed, heard
        self.sources: dict[str, list[Source]] = {}
        for prepared in sets:
            clips = (validation and prepared.split("val")) or prepared.split("train")
            if not clips:
                raise CorpusError(f"{prepared.folder} has no clip to train on.")
            found = self.sources.setdefault(prepared.space.name, [])
            found += [Source(prepared, clip) for clip in clips if clip.identity in labels.rows]
        is_varied = augment is not None and heard is None
        self._sounds = sounds.bank(_SOUNDS, 2 * config.seconds + 1, seed) if is_varied else None

    def batch(self, number: int) -> TalkerBatch:
        """One batch; a space comes as often as it has clips. Raises CorpusError, naming the file, for a broken one."""
        random = np.random.default_rng((self.seed, number))
        counts = np.array([len(found) for found in self.sources.values()])
        space = list(self.sources)[random.choice(len(counts), p=counts / counts.sum())]
        found = self.sources[space]
        drawn = [found[place] for place in random.integers(len(found), size=self.config.batch)]
        identity = [self.labels.rows[each.clip.identity] for each in drawn]
        voice = torch.tensor([self.labels.rows[each.clip.voice or each.clip.identity] for each in drawn])
        felt = np.stack([emotions.shares(each.clip.emotions, self.labels.emotions) for each in drawn])
        names = tuple(sorted({each.prepared.name for each in drawn}))
        if self.heard is not None:
            kept = [_piece(self.heard.clip(each), self.config.seconds, random) for each in drawn]
            features = pad_sequence([torch.from_numpy(each.features).float() for each in kept], batch_first=True)
            chunks = [Clip(np.zeros(0, np.float32), each.motion, each.template, each.fps) for each in kept]
        else:
            features = None
            chunks = [_chunk(each.prepared.load(each.clip), self.config.seconds, random) for each in drawn]
        batch = TalkerBatch(**vars(collate(space, chunks, identity)))
        batch = replace(batch, data_sets=names, emotion=torch.from_numpy(felt), voice=voice, features=features)
        return self._varied(batch, random)

    def _varied(self, batch: TalkerBatch, random: np.random.Generator) -> TalkerBatch:
        if self.augment is None or self._sounds is None:
            return batch
        return replace(batch, audio=torch.from_numpy(vary(batch.audio.numpy(), self._sounds, self.augment, random)))


def _chunk(clip: Clip, seconds: float, random: np.random.Generator) -> Clip:
    """So many seconds from a random frame of the clip on, or the whole of a shorter one."""
    frames = _drawn_frames(len(clip.motion), clip.fps, seconds, random)
    start = round(frames.start / clip.fps * SAMPLE_RATE)
    samples = clip.samples[start : start + round(seconds * SAMPLE_RATE)]
    return replace(clip, samples=samples, motion=clip.motion[frames])


def _piece(clip: HeardClip, seconds: float, random: np.random.Generator) -> HeardClip:
    """The same of a clip whose sound was heard."""
    frames = _drawn_frames(len(clip.motion), clip.fps, seconds, random)
    return clip._replace(features=clip.features[frames], motion=clip.motion[frames])


def _drawn_frames(count: int, fps: float, seconds: float, random: np.random.Generator) -> slice:
    wanted = round(seconds * fps)
    first = int(random.integers(max(count - wanted, 0) + 1))
    return slice(first, first + wanted)
