# SPDX-License-Identifier: GPL-3.0-or-later
"""How a speaker of the miniature moves: the rules' curves in the speaker's own manner, with brows and blinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from backend.phonetics.phones import CLASSES
from backend.training.lips import rules
from backend.training.lips.prepare import FPS, arrays_of
from backend.training.readers.annotated import resampled
from backend.training.speech.corpus import Recording

from .mask import CONTROLS, SPEECH

_JAW = ("jawOpen", "mouthClose")
_BLINKS_PER_SECOND = 0.25
_BLINK_SECONDS = 0.12


@dataclass(frozen=True, eq=False)
class Manner:
    """What a speaker does differently from the rules."""

    strengths: np.ndarray
    """float32 [18]: what each control is multiplied with."""
    smile: float
    """Added all the time."""
    lead: float
    """Seconds by which the face is ahead of the sound."""
    brows: float
    """How far the brows go up with loud speech."""


def manner(speaker: str, exaggeration: float = 1.0) -> Manner:
    """The manner that goes with a name; jaw and mouthClose go together, so that shut lips stay shut."""
    random = random_of(speaker)
    strengths = np.exp(random.normal(0, 0.25, len(CONTROLS)))
    strengths[[CONTROLS.index(name) for name in _JAW]] = np.exp(random.normal(0, 0.25))
    smile, lead, brows = random.uniform(0, 0.15), random.normal(0, 0.015), random.uniform(0.1, 0.6)
    return Manner((strengths * exaggeration).astype(np.float32), smile, lead, brows)


def controls(recording: Recording, samples: np.ndarray, how: Manner, fps: float) -> np.ndarray:
    """float32 [frames, 18]: the controls of the mask, 0 to 1, for a recording of samples float32 [n] at 16 kHz."""
    speech = arrays_of(recording, samples)["curves"].astype(np.float32)[
        :, [rules.CHANNELS.index(name) for name in SPEECH]
    ]
    upper = np.stack([how.brows * _loudness(samples, len(speech)), _blinks(recording, len(speech))], axis=1)
    values = np.concatenate([speech, upper], axis=1) * how.strengths
    values[:, CONTROLS.index("mouthSmile")] += how.smile
    times = np.arange(len(values)) / FPS
    moved = np.stack([np.interp(times + how.lead, times, column) for column in values.T], axis=1)
    return np.clip(resampled(moved, times, fps), 0, 1)


def phone_classes(recording: Recording, samples: np.ndarray, fps: float) -> np.ndarray:
    """float32 [frames, classes]: 1 for the class of the phone (`phonetics.CLASSES`), 0 for all others."""
    visemes = arrays_of(recording, samples)["visemes"]
    times = np.arange(len(visemes)) / FPS
    return resampled(np.eye(len(CLASSES), dtype=np.float32)[visemes], times, fps)


def _loudness(samples: np.ndarray, frames: int) -> np.ndarray:
    """[frames] 0 to 1: the level of the speech over a third of a second."""
    place = np.linspace(0, len(samples), frames + 1).astype(int)
    energy = np.add.reduceat(np.square(samples, dtype=np.float64), np.minimum(place[:-1], len(samples) - 1))
    smooth = np.sqrt(np.convolve(energy, np.hanning(21) / np.hanning(21).sum(), "same"))
    return smooth / max(smooth.max(), 1e-9)


def _blinks(recording: Recording, frames: int) -> np.ndarray:
    """[frames]: lids that fall shut now and then, whatever is said."""
    random = random_of(recording.audio)
    times = np.arange(frames) / FPS
    lids = np.zeros(frames)
    for start in random.uniform(0, times[-1], random.poisson(_BLINKS_PER_SECOND * times[-1])):
        lids = np.maximum(lids, np.exp(-(((times - start) / (_BLINK_SECONDS / 2)) ** 2)))
    return lids


def random_of(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))
