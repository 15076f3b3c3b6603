# SPDX-License-Identifier: GPL-3.0-or-later
"""Feelings: whether a face changes with an emotion in the direction in which the annotation changes with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from backend.emotions import NEUTRAL
from backend.training.diffusion.talker_model import Talker

from .scenes import Scene, perform
from .steps import spaced

_SPEECHES = 12


def likeness(
    talker: Talker, space: str, scenes: Sequence[Scene], annotated: Sequence[Scene]
) -> dict[str, tuple[float, float]]:
    """By emotion: cosine of the change of the mean face against neutral with that of the annotation, and their ratio.

    The annotation's change is what a straight line through the weights of all its clips says.
    """
    names = [name for name in talker.model.config.emotions if name != NEUTRAL]
    taught = _slopes(annotated, names)
    speech = spaced([scene for scene in scenes if not scene.felt], _SPEECHES)
    calm = _mean_face(talker, space, speech, {})
    found = {}
    for name, wanted in zip(names, taught, strict=True):
        change = _mean_face(talker, space, speech, {name: 1.0}) - calm
        sizes = float(np.linalg.norm(change)), float(np.linalg.norm(wanted))
        found[name] = (float(change @ wanted) / (sizes[0] * sizes[1]), sizes[0] / sizes[1])
    return found


def _mean_face(talker: Talker, space: str, speech: Sequence[Scene], felt: dict[str, float]) -> np.ndarray:
    takes = perform(talker, space, [scene.by(scene.identity, felt) for scene in speech], [0, 1]).takes
    return takes.mean(axis=(0, 1, 2))


def _slopes(annotated: Sequence[Scene], names: Sequence[str]) -> np.ndarray:
    """float64 [emotions, dim]: by how much the mean face changes from neutral to each emotion alone."""
    weights = np.array([[scene.felt.get(name, 0.0) for name in names] + [1.0] for scene in annotated])
    faces = np.stack([scene.motion.mean(axis=0) for scene in annotated])
    return np.linalg.lstsq(weights, faces, rcond=None)[0][:-1]
