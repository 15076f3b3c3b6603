# SPDX-License-Identifier: GPL-3.0-or-later
"""Visemes: the motion of a line with each of its phones made stronger or weaker. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import BadInput
from .motion import Motion
from .phones import BILABIALS, Phone

if TYPE_CHECKING:
    import numpy as np

FADE = 0.03
"""Seconds on both sides of the border between two phones in which one strength passes into the other."""
_DIFFERENCE = 0.2  # seconds; frames and readings round differently
_MOUTH = ("jaw", "mouth", "tongue", "cheekPuff")
_SEAL = frozenset({"mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"})
"""What holds lips together: the strength of p, b and m is how firmly they meet, and the jaw is none of it."""


def scaled(motion: Motion, phones: Sequence[Phone]) -> Motion:
    """The motion with the mouth of every phone's span times its strength; eyes and brows stay.

    Of p, b and m only what holds the lips together is scaled, so that 0 leaves them open and 2 presses them. Motion
    without ARKit's names is scaled whole, that of a mesh by how far it is from the neutral face. Raises `BadInput` for
    the phones of a line of another length.
    """
    if all(phone.strength == 1.0 for phone in phones):
        return motion
    if abs(phones[-1].end - len(motion.values) / motion.fps) > _DIFFERENCE:
        raise BadInput("The strengths of the visemes belong to a line of another length. Click List Phones again.")
    strengths = [phone.strength for phone in phones]
    spoken = [1.0 if phone.viseme in BILABIALS else phone.strength for phone in phones]
    frames = len(motion.values)
    seal, shape = (curve(phones, each, frames, motion.fps) for each in (strengths, spoken))
    is_arkit = "jawOpen" in motion.names
    if motion.neutral is not None:
        return replace(motion, values=motion.neutral + seal[:, None, None] * (motion.values - motion.neutral))
    values = motion.values.copy()
    for column, name in enumerate(motion.names):
        if not is_arkit or name.startswith(_MOUTH):
            values[:, column] *= seal if not is_arkit or name in _SEAL else shape
    if is_arkit and "mouthClose" in motion.names:
        _keep_lips_apart(motion, values)
    return replace(motion, values=values)


def curve(phones: Sequence[Phone], strengths: Sequence[float], frames: int, fps: float) -> np.ndarray:
    """float32 [frames]: the strength at each frame, passing smoothly from one phone to the next."""
    import numpy as np

    lengths = np.array([phone.end - phone.start for phone in phones])
    borders = np.array([phone.end for phone in phones[:-1]])
    reach = np.minimum(FADE, np.minimum(lengths[:-1], lengths[1:]) / 2)
    times = np.stack((borders - reach, borders + reach), axis=1).ravel()
    numbers = np.repeat(np.arange(len(phones)), 2)[1:-1]
    place = np.interp(np.arange(frames) / fps, times, numbers) if len(times) else np.zeros(frames)
    before = np.floor(place).astype(int)
    part = place - before
    eased = part * part * (3 - 2 * part)
    values = np.asarray(strengths, np.float32)
    return (values[before] + eased * (values[np.minimum(before + 1, len(values) - 1)] - values[before])).astype(
        np.float32
    )


def _keep_lips_apart(motion: Motion, values: np.ndarray) -> None:
    """mouthClose beyond jawOpen would push one lip through the other."""
    import numpy as np

    close, jaw = motion.names.index("mouthClose"), motion.names.index("jawOpen")
    limit = np.maximum(values[:, jaw], motion.values[:, close])
    values[:, close] = np.minimum(values[:, close], limit)
