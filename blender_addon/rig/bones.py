# SPDX-License-Identifier: GPL-3.0-or-later
"""Movements of pose bones as the numbers that Blender animates: location, rotation in the bone's own mode, scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpy.types import Bone, Object, PoseBone
from mathutils import Quaternion, Vector

from ..errors import BadInput
from .profile import BoneMove

if TYPE_CHECKING:
    import numpy as np

DIRECTIONS = {"side": (1.0, 0.0, 0.0), "front": (0.0, -1.0, 0.0), "up": (0.0, 0.0, 1.0)}
"""Of an armature that faces -Y, as Blender's characters do."""
Y_UP = {"side": (1.0, 0.0, 0.0), "front": (0.0, 0.0, 1.0), "up": (0.0, 1.0, 0.0)}
"""Of an armature whose object is turned upright, as FBX files come in."""
STILL = 1e-5
"""What departs less than this from its rest gets no keys."""

Track = tuple[str, int, "np.ndarray"]
"""Name of a property of a pose bone, index in it, values float [frames]."""


@dataclass(frozen=True, eq=False)
class Movement:
    """What a bone does, frame by frame, in its own axes and measured from its rest."""

    location: np.ndarray
    """float [frames, 3]: in the armature's unit."""
    turn: np.ndarray
    """float [frames, 3]: rotation vectors, the axis times the angle in radians."""
    growth: np.ndarray
    """float [frames, 3]: scale less 1."""

    def __add__(self, other: Movement) -> Movement:
        """Both at once."""
        return Movement(self.location + other.location, self.turn + other.turn, self.growth + other.growth)


def movement(armature: Object, name: str, moves: Sequence[tuple[BoneMove, np.ndarray]], width: float) -> Movement:
    """Some moves of a bone with their values [frames], joined; `width`: of the mouth, in the armature's unit."""
    import numpy as np

    frames = len(moves[0][1])
    location, turn = np.zeros((frames, 3)), np.zeros((frames, 3))
    bone = armature.data.bones[name]
    directions = Y_UP if _is_y_up(armature, bone) else DIRECTIONS
    for move, values in moves:
        axis = np.array(_axis(bone, move, directions))
        if move.kind == "turn":
            turn += np.outer(values * math.radians(move.amount), axis)
        else:
            location += np.outer(values * move.amount * width, axis)
    return Movement(location, turn, np.zeros((frames, 3)))


def mouth_width(armature: Object, corners: Sequence[str], name: str) -> float:
    """The distance of the bones at the corners of the mouth, or the length of bone `name` where these are not known."""
    bones = [armature.data.bones.get(corner) for corner in corners]
    if len(bones) == 2 and all(bones):
        return (bones[0].head_local - bones[1].head_local).length
    return armature.data.bones[name].length


def tracks(bone: PoseBone, moved: Movement) -> Iterator[Track]:
    """The numbers that a movement animates; properties that stay still are left out."""
    for name, rest, values in (("location", 0.0, moved.location), ("scale", 1.0, moved.growth)):
        if _moves(values):
            yield from ((name, index, rest + values[:, index]) for index in range(3))
    if _moves(moved.turn):
        name, values = _rotation(bone, moved.turn)
        yield from ((name, index, values[:, index]) for index in range(values.shape[1]))


def _axis(bone: Bone, move: BoneMove, directions: Mapping[str, tuple[float, float, float]]) -> Vector:
    """A direction in the bone's own axes."""
    if move.axis in directions:
        return bone.matrix_local.to_3x3().inverted() @ Vector(directions[move.axis])
    return Vector([float(move.axis == name) for name in "XYZ"])


def _is_y_up(armature: Object, bone: Bone) -> bool:
    """Whether an armature's data stand upright in Y; a character that lies on its face has its bones high in Z."""
    turned = armature.matrix_world
    return turned[2][1] > abs(turned[2][2]) and bone.head_local.y > abs(bone.head_local.z)


def _moves(values: np.ndarray) -> bool:
    return bool((abs(values) > STILL).any())


def _rotation(bone: PoseBone, turn: np.ndarray) -> tuple[str, np.ndarray]:
    """The property of the bone's rotation mode, and its values [frames, 3 or 4] for rotation vectors [frames, 3]."""
    import numpy as np

    quaternions = quaternions_of(turn)
    if bone.rotation_mode == "QUATERNION":
        return "rotation_quaternion", quaternions
    if bone.rotation_mode == "AXIS_ANGLE":
        raise BadInput(f"The bone “{bone.name}” turns by axis and angle. Set its rotation mode to XYZ or quaternion.")
    angles = [Quaternion(quaternion).to_euler(bone.rotation_mode) for quaternion in quaternions.tolist()]
    return "rotation_euler", np.unwrap(np.array(angles), axis=0)


def quaternions_of(turn: np.ndarray) -> np.ndarray:
    """float [frames, 4]: w, x, y, z of rotation vectors [frames, 3]."""
    import numpy as np

    angle = np.linalg.norm(turn, axis=1, keepdims=True)
    share = np.where(angle > 1e-9, np.sin(angle / 2) / np.maximum(angle, 1e-9), 0.5)
    return np.concatenate([np.cos(angle / 2), turn * share], axis=1)
