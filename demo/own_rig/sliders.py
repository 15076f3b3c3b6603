# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight custom properties on the demo head that drive its shape keys: a face rig that no convention knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy
import numpy as np

from .animator import LIMITS, SLIDERS

EXPRESSIONS = {
    "jawOpen": "0.6 * Open",
    "mouthClose": "0.6 * Open * Press",
    "mouthPressLeft": "0.6 * Press",
    "mouthPressRight": "0.6 * Press",
    "mouthStretchLeft": "0.5 * max(Wide, 0)",
    "mouthStretchRight": "0.5 * max(Wide, 0)",
    "mouthSmileLeft": "0.3 * max(Wide, 0)",
    "mouthSmileRight": "0.3 * max(Wide, 0)",
    "mouthPucker": "0.7 * Round - 0.4 * min(Wide, 0)",
    "mouthFunnel": "0.4 * Round",
    "mouthRollLower": "0.3 * Press + 0.9 * BiteLip",
    "mouthRollUpper": "0.2 * Press",
    "mouthUpperUpLeft": "0.3 * BiteLip + 0.5 * SneerL",
    "mouthUpperUpRight": "0.3 * BiteLip + 0.5 * SneerR",
    "noseSneerLeft": "0.8 * SneerL",
    "noseSneerRight": "0.8 * SneerR",
    "tongueOut": "0.25 * TongueUp",
}
"""What the sliders do to the demo head. The tongue comes to the teeth, as far as its one shape key can show that."""


def add(head: bpy.types.Object) -> None:
    """Give the head its sliders, and its shape keys the drivers that follow them."""
    for name in SLIDERS:
        low, high = LIMITS[name]
        head[name] = 0.0
        head.id_properties_ui(name).update(min=low, max=high)
    blocks = head.data.shape_keys.key_blocks
    for shape, expression in EXPRESSIONS.items():
        driver = blocks[shape].driver_add("value").driver
        driver.type = "SCRIPTED"
        for name in SLIDERS:
            if name in expression:
                variable = driver.variables.new()
                variable.name = name
                variable.targets[0].id, variable.targets[0].data_path = head, f'["{name}"]'
        driver.expression = expression


def animate(head: bpy.types.Object, takes: Iterable[tuple[int, np.ndarray]]) -> None:
    """Key the sliders: takes of (first frame, values [frames, 8]), and at rest between them."""
    frames, values = [], []
    for first, pose in takes:
        frames += [first - 1, *range(first, first + len(pose)), first + len(pose)]
        values += [np.zeros((1, len(SLIDERS))), pose, np.zeros((1, len(SLIDERS)))]
    rows = np.concatenate(values)
    for column, name in enumerate(SLIDERS):
        head.keyframe_insert(f'["{name}"]', frame=frames[0])
        _write(_curve(head, name), frames, rows[:, column])


def shown(scene: bpy.types.Scene, head: bpy.types.Object, frames: Sequence[int]) -> np.ndarray:
    """What the sliders show: float32 [frames, 8]."""
    values = np.empty((len(frames), len(SLIDERS)), np.float32)
    for row, frame in enumerate(frames):
        scene.frame_set(frame)
        values[row] = [head[name] for name in SLIDERS]
    return values


def _curve(head: bpy.types.Object, name: str) -> bpy.types.FCurve:
    from bpy_extras import anim_utils

    data = head.animation_data
    bag = anim_utils.action_get_channelbag_for_slot(data.action, data.action_slot)
    return bag.fcurves.find(f'["{name}"]')


def _write(curve: bpy.types.FCurve, frames: Sequence[int], values: np.ndarray) -> None:
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
    points.foreach_set("interpolation", np.ones(len(frames), np.int32))  # linear
    curve.update()
