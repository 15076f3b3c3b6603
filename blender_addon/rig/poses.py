# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose actions: actions of a pose library that hold one pose of an armature, mixed by weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import bpy
from bpy.types import Action, FCurve, Object
from mathutils import Euler, Quaternion

from .. import compat
from .bones import Movement

if TYPE_CHECKING:
    import numpy as np

_PATH = re.compile(r'^pose\.bones\["(?P<bone>.+)"\]\.(?P<property>location|scale|rotation_quaternion|rotation_euler)$')
_REST = {"location": (0.0,) * 3, "scale": (1.0,) * 3, "rotation_quaternion": (1.0, 0.0, 0.0, 0.0)}


@dataclass
class _BonePose:
    """What an action holds for a bone: numbers by property; those without a curve are at rest."""

    numbers: dict[str, list[float]] = field(default_factory=dict)

    def set(self, name: str, index: int, value: float) -> None:
        """Take over one number."""
        self.numbers.setdefault(name, list(_REST.get(name, (0.0,) * 3)))[index] = value


def pose_actions(armature: Object) -> tuple[str, ...]:
    """The names of the actions that hold one pose of this armature's bones."""
    there = armature.data.bones
    return tuple(
        action.name
        for action in bpy.data.actions
        if _is_still(action) and any(bone in there for bone, _, _ in _curves(action))
    )


def movements(armature: Object, weights: Mapping[str, np.ndarray]) -> dict[str, Movement]:
    """What each bone does when actions are mixed with weights [frames], by the actions' names."""
    import numpy as np

    mixed: dict[str, np.ndarray] = {}
    for name, values in weights.items():
        for bone, pose in _poses(bpy.data.actions[name]).items():
            if bone in armature.data.bones:
                full = _full(pose, armature.pose.bones[bone].rotation_mode)
                mixed[bone] = mixed.get(bone, 0.0) + np.outer(values, full)
    return {bone: Movement(all9[:, 0:3], all9[:, 3:6], all9[:, 6:9]) for bone, all9 in mixed.items()}


def _is_still(action: Action) -> bool:
    first, last = action.frame_range
    return last - first <= 1.0


def _curves(action: Action) -> Iterator[tuple[str, str, FCurve]]:
    """Bone, property, curve."""
    for curve in compat.object_curves(action):
        path = _PATH.match(curve.data_path)
        if path:
            yield bpy.utils.unescape_identifier(path["bone"]), path["property"], curve


def _poses(action: Action) -> dict[str, _BonePose]:
    """The pose in an action, bone by bone."""
    poses: dict[str, _BonePose] = {}
    frame = action.frame_range[0]
    for bone, name, curve in _curves(action):
        poses.setdefault(bone, _BonePose()).set(name, curve.array_index, curve.evaluate(frame))
    return poses


def _full(pose: _BonePose, mode: str) -> np.ndarray:
    """float64 [9]: location, rotation vector, scale less 1."""
    import numpy as np

    location = pose.numbers.get("location", (0.0,) * 3)
    scale = np.array(pose.numbers.get("scale", (1.0,) * 3)) - 1.0
    return np.array([*location, *_rotation_vector(pose, mode), *scale])


def _rotation_vector(pose: _BonePose, mode: str) -> tuple[float, ...]:
    turned = Quaternion()
    if "rotation_quaternion" in pose.numbers and mode == "QUATERNION":
        turned = Quaternion(pose.numbers["rotation_quaternion"]).normalized()
    elif "rotation_euler" in pose.numbers:
        turned = Euler(pose.numbers["rotation_euler"], mode if len(mode) == 3 else "XYZ").to_quaternion()
    if turned.w < 0.0:
        turned.negate()  # the same pose; but the way to it, which weights divide, would be the longer one
    return tuple(turned.to_exponential_map())
