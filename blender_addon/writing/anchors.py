# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys right beside a lip sync in the artist's curve, so that the curve goes on outside as it was. No bpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import keys

if TYPE_CHECKING:
    import numpy as np


def beside(there: np.ndarray, first: int, last: int, value_at: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The keys that are needed one frame before and behind a range; none where the artist has a key there already.

    `there`: the curve's keys without the lip sync; `value_at`: its values at some frames, float64.
    """
    import numpy as np

    frames = np.array([first - 1, last + 1], np.float64)
    slopes = (value_at(frames + 1) - value_at(frames - 1)) / 2
    made = keys.made(frames, value_at(frames), slopes, keys.LINEAR, keys.FREE)
    places = there["co"][:, 0].astype(np.float64)
    earlier, later = places[places < frames[0]], places[places > frames[1]]
    _reach(made[:1], "handle_left", slopes[:1], earlier[-1:] - frames[0])
    _reach(made[1:], "handle_right", slopes[1:], later[:1] - frames[1])
    before = there[places <= frames[1] + keys.EDGE]
    made["interpolation"][1] = before["interpolation"][-1] if len(before) else keys.BEZIER
    taken = [bool((np.abs(places - frame) <= keys.EDGE).any()) for frame in frames]
    return made[~np.array(taken)]


def _reach(anchor: np.ndarray, side: str, slope: np.ndarray, gap: np.ndarray) -> None:
    """Let a handle reach a third of the way to the artist's next key, where there is one."""
    if len(gap):
        anchor[side][:, 0] = anchor["co"][:, 0] + gap * keys.THIRD
        anchor[side][:, 1] = anchor["co"][:, 1] + slope * gap * keys.THIRD
