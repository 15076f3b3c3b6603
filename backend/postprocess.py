# SPDX-License-Identifier: GPL-3.0-or-later
"""From a model's own numbers to curves that an animator can use, piece by piece as they come.

Every function maps an iterator of consecutive pieces, float32 [frames, …], to another one. A frame's result never
depends on where the pieces were cut.

Nothing here smooths: the decoders' own curves hold next to no energy above 12 Hz, and lips that meet for 50 ms would be
the first thing that a filter takes away. What trembles in a take's eyes and brows is for `stillness`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from . import closures


def rested(pieces: Iterable[np.ndarray], rest: np.ndarray) -> Iterator[np.ndarray]:
    """Control weights counted from the rest pose [channels], kept between 0 and 1."""
    for piece in pieces:
        yield np.clip(piece - rest, 0.0, 1.0)


def sealed(pieces: Iterable[np.ndarray], names: Sequence[str]) -> Iterator[np.ndarray]:
    """Weights whose lips meet wherever they all but do; unchanged where the names are not ARKit's."""
    for piece in pieces:
        yield closures.sealed(piece, names) if closures.can_follow(names) else piece


def within(pieces: Iterable[np.ndarray], limits: Sequence[tuple[float, float]]) -> Iterator[np.ndarray]:
    """Controls of somebody's own rig, each kept between its lowest and highest value.

    They are not counted from a rest pose: the model has learnt from this very rig how it rests.
    """
    lowest, highest = np.array(limits, np.float32).T
    for piece in pieces:
        yield np.clip(piece, lowest, highest)


def retimed(pieces: Iterable[np.ndarray], fps: float, wanted_fps: float, frames: int) -> Iterator[np.ndarray]:
    """`frames` frames at `wanted_fps` out of pieces at `fps`, linear in time; both begin at second 0.

    Behind the last frame that came, its value is held.
    """
    held = np.zeros(0, np.float32)
    first = done = 0
    for piece in pieces:
        held = np.concatenate((held, piece)) if len(held) else piece
        ready = _frames_up_to(first + len(held) - 1, fps, wanted_fps, frames)
        if ready > done:
            yield _sampled(held, _positions(done, ready, fps, wanted_fps) - first)
            done = ready
        settled = max(0, min(int(done * fps / wanted_fps) - first, len(held) - 1))
        held, first = held[settled:], first + settled
    if done < frames:
        yield _sampled(held, _positions(done, frames, fps, wanted_fps) - first)


def _positions(start: int, stop: int, fps: float, wanted_fps: float) -> np.ndarray:
    """Where the wanted frames lie, counted in frames at `fps`: float64."""
    return np.arange(start, stop) * (fps / wanted_fps)


def _frames_up_to(last: int, fps: float, wanted_fps: float, frames: int) -> int:
    """How many wanted frames lie at or before frame `last` at `fps`."""
    count = min(int(last * wanted_fps / fps) + 2, frames)
    while count and (count - 1) * (fps / wanted_fps) > last:
        count -= 1
    return count


def _sampled(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Values [frames, …] between frames; a position behind the last frame takes the last frame."""
    before = np.minimum(positions.astype(np.int64), len(values) - 1)
    after = np.minimum(before + 1, len(values) - 1)
    part = (positions - before).astype(np.float32).reshape(-1, *(1,) * (values.ndim - 1))
    return values[before] + (values[after] - values[before]) * part
