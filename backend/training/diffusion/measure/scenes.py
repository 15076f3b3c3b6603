# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: stretches of held-out speech of one length, and what models perform to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from backend import emotions, stillness
from backend.training.diffusion.heard import Heard
from backend.training.diffusion.talker_model import Talker
from backend.training.motion.batches import Source
from backend.training.motion.motion_set import MotionSet
from backend.training.readers.annotated import Split

SECONDS = 4.0
_AT_ONCE = 24
_DEAF = np.zeros((0, 0), np.float16)


@dataclass(frozen=True, eq=False)
class Scene:
    """A stretch of speech with its annotation."""

    identity: str
    felt: emotions.Weights
    features: np.ndarray
    """float16 [frames, encoder width]: what is heard."""
    motion: np.ndarray
    """float32 [frames, dim]: the annotation."""

    def by(self, identity: str, felt: emotions.Weights) -> Scene:
        """The same speech performed by somebody, in a mood."""
        return replace(self, identity=identity, felt=felt)


class Performed(NamedTuple):
    """What a model made of scenes, as still as artists get it."""

    takes: np.ndarray
    """float32 [scenes, takes, frames, dim]."""
    seconds: float
    """Of the processor, for denoising alone, without hearing."""


def of_sets(
    sets: Sequence[MotionSet], split: Split, ear: Talker | None = None, *, borrowed: bool = False
) -> list[Scene]:
    """The first seconds of every clip of a split that is long enough, with what a model hears in them, if one does.

    Clips in the manner of who is heard, or those in a `borrowed` one.
    """
    heard, found = None if ear is None else Heard(ear.model), []
    for prepared in sets:
        frames = round(SECONDS * prepared.space.fps)
        for clip in prepared.split(split):
            if clip.frames < frames or clip.is_borrowed != borrowed:
                continue
            motion = np.asarray(prepared.motion(clip)[:frames], np.float32)
            features = _DEAF if heard is None else heard.clip(Source(prepared, clip)).features[:frames]
            found.append(Scene(clip.identity, clip.emotions, features, motion))
    return found


def annotated(sets: Sequence[MotionSet], split: Split) -> list[np.ndarray]:
    """float32 [frames, dim]: stretches of annotation as long as a scene, all that a split has."""
    found: list[np.ndarray] = []
    for prepared in sets:
        frames = round(SECONDS * prepared.space.fps)
        for clip in prepared.split(split):
            values = np.asarray(prepared.motion(clip), np.float32)
            found += [values[first : first + frames] for first in range(0, len(values) - frames + 1, frames)]
    return found


@torch.inference_mode()
def perform(talker: Talker, space: str, scenes: Sequence[Scene], seeds: Sequence[int]) -> Performed:
    """A take of every scene for every seed, by a model in its own number of steps."""
    parts = [
        _perform(talker, space, scenes[first : first + _AT_ONCE], seeds) for first in range(0, len(scenes), _AT_ONCE)
    ]
    return Performed(np.concatenate([part.takes for part in parts]), sum(part.seconds for part in parts))


def _perform(talker: Talker, space: str, scenes: Sequence[Scene], seeds: Sequence[int]) -> Performed:
    model, personalizer = talker.model.eval(), talker.model.personalizer
    rows = torch.tensor([talker.identities.index(scene.identity) for scene in scenes])
    shares = np.stack([emotions.shares(scene.felt, model.config.emotions) for scene in scenes])
    personal = personalizer.fused(personalizer.identities(rows), torch.from_numpy(shares))
    condition = model.condition(torch.from_numpy(np.stack([scene.features for scene in scenes])).float(), personal)
    head, frames = model.head(space), len(scenes[0].motion)
    fields = [model.noise(seed, 0, frames, space).expand(len(scenes), -1, -1) for seed in seeds]
    began = time.process_time()
    found = [model.sample(space, field, condition) for field in fields]
    seconds = time.process_time() - began
    values = torch.stack([head.decode(z, model.template(space)) for z in found], dim=1).numpy()
    still = stillness.of_whole(values.transpose(2, 0, 1, 3), talker.spaces[space].channels, talker.rates[space])
    return Performed(still.transpose(1, 2, 0, 3).clip(0, 1), seconds)
