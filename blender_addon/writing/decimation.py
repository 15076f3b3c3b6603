# SPDX-License-Identifier: GPL-3.0-or-later
"""Few Bezier keys instead of one on every frame, within a tolerance that holds on every frame. No bpy.

Handles a third of the way to the next key make a Bezier segment's time run evenly, so that its value at a frame is a
plain cubic of the frame: the error of all segments is known at once, without solving anything. Segments that miss are
split where they miss most, until none does; one frame long, a segment cannot miss.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def simplified(values: np.ndarray, tolerance: float) -> Generator[None, None, tuple[np.ndarray, np.ndarray]]:
    """Where keys are needed for values [frames], and how steep the curve passes through them.

    Returns the keys' frames int [keys], first and last included, and slopes float64 [keys] in units per frame. The
    curve that `evaluated` makes of them meets each value within `tolerance` (above 0). A generator that yields now and
    then, so that long curves need not keep anybody waiting.
    """
    import numpy as np

    exact = values.astype(np.float64)
    places = np.unique(np.array([0, len(values) - 1]))
    while True:
        slopes = _slopes(exact, places)
        missed = np.abs(evaluated(places, exact[places], slopes) - exact)
        split = _worst(missed, places, tolerance)
        if not len(split):
            return places, slopes
        places = np.union1d(places, split)
        yield


def evaluated(places: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The curve through keys at frames `places` [keys], on every frame from the first to the last: float64 [frames]."""
    import numpy as np

    frames = np.arange(places[0], places[-1] + 1)
    if len(places) == 1:
        return values.astype(np.float64)
    before = np.minimum(np.searchsorted(places, frames, side="right") - 1, len(places) - 2)
    length = (places[before + 1] - places[before]).astype(np.float64)
    part = (frames - places[before]) / length
    rise, fall = _hermite(part)
    start, end = values[before], values[before + 1]
    bend = slopes[before] * rise + slopes[before + 1] * fall
    return start + (end - start) * (3 - 2 * part) * part**2 + length * bend


def _hermite(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much the slopes at a segment's start and end show, at parts 0 to 1 of it."""
    return part * (1 - part) ** 2, part**2 * (part - 1)


def _slopes(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The slope at each key: that of each segment by itself comes nearest to the values; a key takes both sides' mean,
    weighted by their lengths, so that the curve passes through it without a kink. Float64 [keys].
    """
    import numpy as np

    if len(places) == 1:
        return np.zeros(1)
    starts, ends = places[:-1], places[1:]
    lengths = (ends - starts).astype(np.float64)
    frames = np.arange(places[-1])
    before = np.repeat(np.arange(len(starts)), ends - starts)
    part = (frames - starts[before]) / lengths[before]
    rise, fall = _hermite(part)
    rise, fall = rise * lengths[before], fall * lengths[before]
    straight = values[starts][before] + (values[ends] - values[starts])[before] * (3 - 2 * part) * part**2
    rest = values[:-1] - straight
    left, right = _least_squares(rise, fall, rest, starts, (values[ends] - values[starts]) / lengths)
    total = np.zeros(len(places))
    weight = np.zeros(len(places))
    for side, at in ((left, slice(None, -1)), (right, slice(1, None))):
        total[at] += side * lengths
        weight[at] += lengths
    return total / weight


def _least_squares(
    rise: np.ndarray, fall: np.ndarray, rest: np.ndarray, starts: np.ndarray, chord: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes at both ends of each segment that come nearest to `rest` [frames]; the chord's where it is too short."""
    import numpy as np

    def of_segments(products: np.ndarray) -> np.ndarray:
        return np.add.reduceat(products, starts - starts[0])

    a, b, c = of_segments(rise * rise), of_segments(rise * fall), of_segments(fall * fall)
    u, v = of_segments(rise * rest), of_segments(fall * rest)
    determinant = a * c - b * b
    solvable = determinant > 1e-9
    safe = np.where(solvable, determinant, 1.0)
    left, right = (u * c - v * b) / safe, (a * v - b * u) / safe
    return np.where(solvable, left, chord), np.where(solvable, right, chord)


def _worst(missed: np.ndarray, places: np.ndarray, tolerance: float) -> np.ndarray:
    """The frame of each segment's largest miss, for the segments that miss by more than the tolerance."""
    import numpy as np

    bad = np.flatnonzero(missed > tolerance)
    if not len(bad):
        return bad
    segment = np.searchsorted(places, bad, side="right") - 1
    order = np.lexsort((missed[bad], segment))
    last_of_segment = np.flatnonzero(np.diff(segment[order], append=len(places) + 1))
    return bad[order[last_of_segment]]
