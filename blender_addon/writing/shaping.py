# SPDX-License-Identifier: GPL-3.0-or-later
"""From a curve's values on each frame to its keys: smoothed, passing in and out at the edges, thinned, held. No bpy."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from . import decimation, keys
from .options import WritingOptions

if TYPE_CHECKING:
    import numpy as np

REACH = 3
"""A Gaussian is taken as over at this many standard deviations."""


def smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    """Values float32 [frames] under a Gaussian of that standard deviation, in frames; the edges are held."""
    import numpy as np

    if deviation <= 0:
        return values
    reach = max(1, round(REACH * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid").astype(np.float32)


def passage(frames: int, blend: int) -> np.ndarray:
    """How much of the motion shows on each frame, float32 [frames]: it comes and goes over `blend` frames."""
    import numpy as np

    place = np.arange(frames)
    inside = np.minimum(place, place[::-1]) + 1
    part = np.minimum(inside / (blend + 1), 1.0)
    return (part * part * (3 - 2 * part)).astype(np.float32)


def keyed(first_frame: int, values: np.ndarray, options: WritingOptions) -> Generator[None, None, np.ndarray]:
    """The keys, as records of `keys.layout`, that show values float32 [frames] from `first_frame` on.

    A generator that yields now and then, and returns them.
    """
    import numpy as np

    if options.tolerance > 0:
        places, slopes = yield from decimation.simplified(values, options.tolerance)
        return keys.made(first_frame + places, values[places], slopes, keys.BEZIER, keys.ALIGNED)
    places = np.arange(0, len(values), options.step)
    interpolation = keys.CONSTANT if options.step > 1 else keys.LINEAR
    flat = np.zeros(len(places))
    return keys.made(first_frame + places, values[places], flat, interpolation, keys.AUTO_CLAMPED)


def held(values: np.ndarray, step: int) -> np.ndarray:
    """Values float32 [frames] as poses that are held for `step` frames each show them."""
    import numpy as np

    return values[np.arange(len(values)) // step * step]
