# SPDX-License-Identifier: GPL-3.0-or-later
"""Stillness: what trembles in a take comes to rest, and every movement stays as it is.

Between two movements the eyes, brows and cheeks of a take hover by some thousandths of a weight from frame to frame:
noise that denoising in few steps leaves. Every frame becomes the mean of the frames around it that differ from it by
less than a small band, the nearer in time and value the more (a bilateral filter: Tomasi and Manduchi 1998), and what
comes of that twice more: the later passes round the slow wander that the first leaves. So nothing lags, and a blink, a
glance or a raised brow, which leave the band within a frame or two, are not averaged with what was before. Jaw, mouth
and tongue are never touched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

SPREAD = 0.15
"""Seconds at which a frame still counts by 60 %."""
REACH = 0.35
"""Seconds to either side that a pass looks at."""
BAND = 0.05
"""Weights that differ by this and more have nothing to do with each other."""
PASSES = 3
"""Chosen with the three above on validation clips, for upper faces that are as slow and fast as the training data's."""
_FREE = ("eye", "brow", "cheek", "nose")
"""Beginnings of the names of what no sound decides."""


def free(names: Sequence[str]) -> list[int]:
    """Which channels are brought to rest, by their names: ARKit's, and others that are called like them."""
    return [column for column, name in enumerate(names) if name.startswith(_FREE)]


def stilled(pieces: Iterable[np.ndarray], names: Sequence[str], fps: float) -> Iterator[np.ndarray]:
    """Consecutive pieces of weights float32 [frames, …, channels] without trembling, as many frames as came.

    They come `PASSES` times `REACH` later. A frame's result does not depend on where the pieces were cut.
    """
    reach = frames_seen(fps)
    held: np.ndarray | None = None
    past = 0
    for piece in pieces:
        held = piece if held is None else np.concatenate((held, piece))
        ready = len(held) - reach
        if ready > past:
            yield of_whole(held, names, fps)[past:ready]
            first = max(0, ready - reach)
            held, past = held[first:], ready - first
    if held is not None and len(held) > past:
        yield of_whole(held, names, fps)[past:]


def of_whole(values: np.ndarray, names: Sequence[str], fps: float) -> np.ndarray:
    """`stilled` weights float32 [frames, …, channels] of a whole motion."""
    columns = free(names)
    calm = values.copy()
    calm[..., columns] = without_trembling(values[..., columns], fps)
    return calm


def without_trembling(values: np.ndarray, fps: float) -> np.ndarray:
    """Weights float32 [frames, …] at rest wherever they only tremble; a frame sees `frames_seen` to either side."""
    for _ in range(PASSES):
        values = _calmer(values, fps)
    return values


def _calmer(values: np.ndarray, fps: float) -> np.ndarray:
    """One pass of the filter."""
    total, shares = values.copy(), np.ones_like(values)
    for distance in range(1, min(_frames_of_a_pass(fps), len(values) - 1) + 1):
        earlier, later = values[:-distance], values[distance:]
        near = np.maximum(1 - np.square((later - earlier) / np.float32(BAND)), 0)
        share = np.float32(math.exp(-0.5 * (distance / fps / SPREAD) ** 2)) * near * near
        total[distance:] += share * earlier
        total[:-distance] += share * later
        shares[distance:] += share
        shares[:-distance] += share
    return total / shares


def frames_seen(fps: float) -> int:
    """How many frames to either side a frame depends on."""
    return PASSES * _frames_of_a_pass(fps)


def _frames_of_a_pass(fps: float) -> int:
    return round(REACH * fps)
