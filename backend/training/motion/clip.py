# SPDX-License-Identifier: GPL-3.0-or-later
"""From a recording and its annotation to one training clip: UniTalker's rules for rate, unit and length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16000
LONGEST_SECONDS = 20
SHORTEST_SECONDS = 0.5
REDUCTIONS = {25: 1, 30: 1, 60: 2, 100: 4}
"""Of how many frames one is kept, by the annotation rates that are known."""


class ClipError(ValueError):
    """An annotation cannot be trained on; the message is one sentence for the user."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One training item."""

    samples: np.ndarray
    """float32 [n]: 16 kHz mono, not normalised (each model does that itself)."""
    motion: np.ndarray
    """float32 [frames, dim] in the model's unit."""
    template: np.ndarray
    """float32 [dim] in the model's unit."""
    fps: float


def cut(samples: np.ndarray, motion: np.ndarray, fps: float, template: np.ndarray, scale: float) -> Clip | None:
    """One clip out of a recording; None when less than half a second is left.

    `samples` float32 [n] at 16 kHz, `motion` [frames, ...] at `fps`, `template` [...] of the same numbers per frame;
    `scale` brings both to the model's unit. Sound and motion are cut to the shorter of them and to 20 s.
    `ClipError` for a rate that is not known.
    """
    reduced, rate = reduce_rate(motion, fps)
    duration = min(len(samples) / SAMPLE_RATE, len(reduced) / rate, LONGEST_SECONDS)
    if duration < SHORTEST_SECONDS:
        return None
    kept = reduced[: round(duration * rate)]
    return Clip(
        samples=samples[: round(duration * SAMPLE_RATE)],
        motion=np.asarray(kept, np.float32).reshape(len(kept), -1) * np.float32(scale),
        template=np.asarray(template, np.float32).reshape(-1) * np.float32(scale),
        fps=rate,
    )


def reduce_rate(motion: np.ndarray, fps: float) -> tuple[np.ndarray, float]:
    """Keep every second frame of 60 fps and every fourth of 100 fps; 25 and 30 fps stay. `ClipError` for others."""
    if fps not in REDUCTIONS:
        raise ClipError(f"Annotations at {fps:g} frames per second are not known: resample them to 25, 30, 60 or 100.")
    step = REDUCTIONS[int(fps)]
    return motion[::step], fps / step
