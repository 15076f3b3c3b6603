# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays on a property without our action: what a motion comes out of at its first frames and goes back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Action, AnimData, FCurve, NlaStrip

from .. import compat

if TYPE_CHECKING:
    import numpy as np


def sampled(curve: FCurve, frames: np.ndarray) -> np.ndarray:
    """A curve's values at some frames, float64, its modifiers and what lies beside its keys included."""
    import numpy as np

    return np.array([curve.evaluate(frame) for frame in frames])


def constant(frames: np.ndarray, value: float) -> np.ndarray:
    """The same value at each of some frames, float64."""
    import numpy as np

    return np.full(len(frames), value, np.float64)


def plays_below(
    data: AnimData | None, action: Action | None, target: tuple[str, int], frames: np.ndarray, rest: float
) -> np.ndarray:
    """The value of a property at some frames, float64, under the NLA tracks below `action` and the active action.

    `target`: path and index of the property; `rest`: its value where nothing plays.
    """
    values = constant(frames, rest)
    if data is None:
        return values
    for track in data.nla_tracks if data.use_nla else ():
        if action is not None and any(strip.action == action for strip in track.strips):
            return values
        for strip in track.strips if not track.mute else ():
            values = _under_strip(strip, target, frames, values)
    curve = _curve(data.action, data, target) if data.action != action else None
    return values if curve is None else sampled(curve, frames)


def _under_strip(strip: NlaStrip, target: tuple[str, int], frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    import numpy as np

    curve = None if strip.mute else _curve(strip.action, strip, target)
    if curve is None:
        return values
    reached = frames >= (strip.frame_start if strip.extrapolation != "HOLD" else -np.inf)
    reached &= frames <= (strip.frame_end if strip.extrapolation == "NOTHING" else np.inf)
    own = sampled(curve, _own_frames(strip, frames))
    mixed = {"ADD": values + own, "SUBTRACT": values - own, "MULTIPLY": values * own}.get(strip.blend_type, own)
    return np.where(reached, values + strip.influence * (mixed - values), values)


def _own_frames(strip: NlaStrip, frames: np.ndarray) -> np.ndarray:
    """The action's frames that a strip shows at frames of the scene."""
    length = strip.action_frame_end - strip.action_frame_start
    passed = (frames.clip(strip.frame_start, strip.frame_end) - strip.frame_start) / strip.scale
    turned = passed if strip.repeat == 1 or length <= 0 else passed % length
    return strip.action_frame_start + turned


def _curve(action: Action | None, data: AnimData | NlaStrip, target: tuple[str, int]) -> FCurve | None:
    found = compat.curves(action, data) if action else []
    return next((curve for curve in found if (curve.data_path, curve.array_index) == target), None)
