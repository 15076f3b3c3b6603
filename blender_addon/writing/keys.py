# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of F-curves as arrays: read with all that belongs to them, cut, joined, and written in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import FCurve

if TYPE_CHECKING:
    import numpy as np

CONSTANT, LINEAR, BEZIER = 0, 1, 2
FREE, ALIGNED, AUTO_CLAMPED = 0, 3, 4
EDGE = 1e-3
"""Keys this near to a frame lie on it."""
THIRD = 1.0 / 3.0

_FLOATS = ("co", "handle_left", "handle_right")
_NUMBERS = ("amplitude", "period", "back")
_ENUMS = ("handle_left_type", "handle_right_type", "interpolation", "easing", "type")
_FLAGS = ("select_control_point", "select_left_handle", "select_right_handle")
COLUMNS = (*_FLOATS, *_NUMBERS, *_ENUMS, *_FLAGS)
"""Everything that Blender keeps of a key, under its names of it."""


def layout() -> np.dtype:
    """One key as a record of all its columns."""
    import numpy as np

    points = [(name, np.float32, (2,)) for name in _FLOATS]
    numbers = [(name, np.float32) for name in _NUMBERS]
    enums = [(name, np.int32) for name in _ENUMS]
    return np.dtype([*points, *numbers, *enums, *((name, np.bool_) for name in _FLAGS)])


def none() -> np.ndarray:
    """No keys at all."""
    import numpy as np

    return np.zeros(0, layout())


def read(curve: FCurve) -> np.ndarray:
    """All keys of a curve, records [keys] of `layout`."""
    import numpy as np

    points = curve.keyframe_points
    keys = np.empty(len(points), layout())
    for name in COLUMNS:
        column = np.empty(keys[name].shape, keys[name].dtype)
        points.foreach_get(name, column.reshape(-1))
        keys[name] = column
    return keys


def write(curve: FCurve, keys: np.ndarray) -> None:
    """Replace all keys of a curve, bit for bit: no handle is calculated anew, as `FCurve.update` would."""
    import numpy as np

    points = curve.keyframe_points
    points.clear()
    points.add(len(keys))
    for name in COLUMNS:
        points.foreach_set(name, np.ascontiguousarray(keys[name]).reshape(-1))


def made(frames: np.ndarray, values: np.ndarray, slopes: np.ndarray, interpolation: int, handle: int) -> np.ndarray:
    """New keys at `frames` [keys] with `values`, and handles a third of the way to their neighbours.

    `slopes`: rise per frame at each key, float [keys], which the handles follow.
    """
    import numpy as np

    keys = np.zeros(len(frames), layout())
    gaps = np.diff(frames, prepend=frames[:1] - 1, append=frames[-1:] + 1) * THIRD
    for name, reach in (("co", 0.0), ("handle_left", -gaps[:-1]), ("handle_right", gaps[1:])):
        keys[name][:, 0] = frames + reach
        keys[name][:, 1] = values + slopes * reach
    keys["handle_left_type"] = keys["handle_right_type"] = handle
    keys["interpolation"] = interpolation
    keys["back"], keys["amplitude"], keys["period"] = 1.70158, 0.8, 4.1
    return keys


def outside(keys: np.ndarray, first: float, last: float) -> np.ndarray:
    """Which keys lie outside a range of frames, its own edges being inside: bool [keys]."""
    frames = keys["co"][:, 0]
    return (frames < first - EDGE) | (frames > last + EDGE)


def joined(*parts: np.ndarray) -> np.ndarray:
    """Keys of several places in the order of their frames."""
    import numpy as np

    keys = np.concatenate(parts)
    return keys[np.argsort(keys["co"][:, 0], kind="stable")]
