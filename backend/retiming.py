# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion at another frame rate, linear in time; lips that meet between two of its frames meet in the nearer one.

At 24 frames a second a p can begin and end between two frames, and animators would see lips that never touch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from .closures import NEARLY_SHUT

Opening = Callable[[np.ndarray], np.ndarray]
"""How far the lips of values [frames, …, channels] are apart, [frames, …]."""


def retimed(
    pieces: Iterable[np.ndarray], fps: float, wanted_fps: float, frames: int, opening: Opening | None = None
) -> Iterator[np.ndarray]:
    """`frames` frames at `wanted_fps` out of consecutive pieces, float32 [n, …], at `fps`; both begin at second 0.

    Behind the last frame that came, its value is held. With an `opening` the frame next to a moment in which lips meet
    shows that moment, where no frame would. A frame's result never depends on where the pieces were cut.
    """
    held = np.zeros(0, np.float32)
    first = done = 0
    for piece in pieces:
        held = np.concatenate((held, piece)) if len(held) else piece
        ready = _frames_up_to(first + len(held) - 1, fps, wanted_fps, frames)
        if opening is not None and ready < frames:
            ready -= 1  # what happens behind a frame is known when the next one is
        if ready > done:
            yield _shown(held, first, range(done, ready), fps / wanted_fps, frames, opening)
            done = ready
        settled = max(0, min(int((done - 1) * fps / wanted_fps) - first, len(held) - 1))
        held, first = held[settled:], first + settled
    if done < frames:
        yield _shown(held, first, range(done, frames), fps / wanted_fps, frames, opening)


def _frames_up_to(last: int, fps: float, wanted_fps: float, frames: int) -> int:
    """How many wanted frames lie at or before frame `last` at `fps`."""
    count = min(int(last * wanted_fps / fps) + 2, frames)
    while count and (count - 1) * (fps / wanted_fps) > last:
        count -= 1
    return count


def _shown(
    held: np.ndarray, first: int, wanted: range, step: float, frames: int, opening: Opening | None
) -> np.ndarray:
    """The wanted frames, `step` frames at the own rate apart, of which those from number `first` on are held."""
    if opening is None:
        return _sampled(held, np.arange(wanted.start, wanted.stop) * step - first)
    begin, end = max(wanted.start - 1, 0), min(wanted.stop + 1, frames)  # a neighbour may be nearer to a closure
    moments = _closures_kept(held, np.arange(begin, end) * step - first, opening)
    return _sampled(held, moments[wanted.start - begin : wanted.stop - begin])


def _closures_kept(held: np.ndarray, positions: np.ndarray, opening: Opening) -> np.ndarray:
    """Where to look for each frame: float64 [n, …], its own of the `positions` [n] or a moment in which lips meet."""
    parted = opening(_sampled(held, positions)) >= NEARLY_SHUT
    moments = np.broadcast_to(positions.reshape(-1, *(1,) * (parted.ndim - 1)), parted.shape).copy()
    if len(positions) < 2:
        return moments
    moment, least = _narrowest(opening(held), positions)
    missed = parted[:-1] & parted[1:] & (least < NEARLY_SHUT)
    sooner = moment - moments[:-1] < moments[1:] - moment
    before, after = missed & sooner, missed & ~sooner
    moments[:-1][before] = moment[before]
    moments[1:][after] = moment[after]
    return moments


def _narrowest(heights: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between each position [n] and the next: where `heights` [frames, …] are least, and how much; both [n - 1, …]."""
    most = math.ceil(positions[1] - positions[0]) + 1
    within = np.ceil(positions[:-1])[:, None] + np.arange(most)
    inside = (within <= positions[1:, None]) & (within < len(heights))
    found = heights[np.minimum(within.astype(np.int64), len(heights) - 1)]
    found = np.where(inside.reshape(*inside.shape, *(1,) * (heights.ndim - 1)), found, np.inf)
    best = found.argmin(axis=1)
    return np.ceil(positions[:-1]).reshape(-1, *(1,) * (heights.ndim - 1)) + best, found.min(axis=1)


def _sampled(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Values [frames, …] between frames, at positions [n] or, each take its own, [n, takes].

    A position behind the last frame takes the last frame.
    """
    before = np.minimum(positions.astype(np.int64), len(values) - 1)
    after = np.minimum(before + 1, len(values) - 1)
    part = (positions - before).astype(np.float32)
    part = part.reshape(*part.shape, *(1,) * (values.ndim - part.ndim))
    columns = tuple(np.arange(count) for count in positions.shape[1:])
    return values[(before, *columns)] + (values[(after, *columns)] - values[(before, *columns)]) * part
