# SPDX-License-Identifier: GPL-3.0-or-later
"""A character's controls by name, whatever they are: shape keys, custom properties, and the channels of bones.

A name stands for the first of these that the character has: a shape key without a driver (``Open``), a custom property
of the object (``Open``), one of a bone (``CTRL_face:Open``), a bone's own channel (``jaw:rotation_euler.x``), and only
then a shape key that a driver sets, because keys on it would not show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import bpy
from bpy.types import ID, Depsgraph, Key, Object, PoseBone

from .errors import BadInput

UNBOUNDED = (-3.4028234663852886e38, 3.4028234663852886e38)
"""Limits of a control without limits: those of a 32-bit number, as Blender has them."""
_CHANNEL = re.compile(r"(.+):(location|rotation_euler|rotation_quaternion|scale)\.([wxyz])")


@dataclass(frozen=True)
class Control:
    """One number that an animator can key."""

    name: str
    path: str
    """From the datablock: the shape keys, or the object."""
    is_shape_key: bool
    is_driven: bool
    """A driver sets it, so that keys on it would not show."""
    limits: tuple[float, float]
    """Lowest and highest value."""
    axis: str = ""
    """For bones' own channels one of w, x, y, z."""

    def value(self, shown: Shown) -> float:
        """What it is at the frame that is shown; of bones, what constraints and drivers make of it."""
        if self.axis:
            return getattr(_channel(shown.character, self.path), self.axis)
        owner = shown.key if self.is_shape_key and shown.key else shown.character
        return float(owner.path_resolve(self.path))

    @property
    def index(self) -> int:
        """Place in the property where it has several numbers, else 0."""
        axes = "wxyz" if self.path.endswith("rotation_quaternion") else "xyz"
        return axes.index(self.axis) if self.axis else 0

    def block(self, character: Object) -> ID:
        """The datablock that is keyed."""
        return character.data.shape_keys if self.is_shape_key else character


class Shown(NamedTuple):
    """A character as the dependency graph has evaluated it at one frame."""

    character: Object
    key: Key | None

    @classmethod
    def of(cls, character: Object, graph: Depsgraph) -> Shown:
        """The evaluated copies of a character and its shape keys."""
        key = _key(character)
        return cls(character.evaluated_get(graph), key.evaluated_get(graph) if key else None)


def sliders(character: Object) -> list[Control]:
    """All shape keys and numeric custom properties, each name once."""
    found = [*_shape_keys(character), *_properties(character)]
    by_name: dict[str, Control] = {}
    for control in sorted(found, key=lambda control: control.is_driven):
        by_name.setdefault(control.name, control)
    return [control for control in found if by_name[control.name] is control]


def named(character: Object, names: Sequence[str]) -> list[Control]:
    """The controls of these names, in this order; raises `BadInput` for one that the character does not have."""
    known = {control.name: control for control in sliders(character)}
    return [known.get(name) or _bone_channel(character, name) for name in dict.fromkeys(names)]


def among(character: Object, names: Sequence[str]) -> dict[str, Control]:
    """Those of these names that the character has."""
    found: dict[str, Control] = {}
    for name in names:
        with suppress(BadInput):
            found |= {control.name: control for control in named(character, [name])}
    return found


def _key(character: Object) -> Key | None:
    return getattr(character.data, "shape_keys", None)


def _shape_keys(character: Object) -> Iterator[Control]:
    key = _key(character)
    if key is None:
        return
    driven = _driven(key)
    for block in key.key_blocks:
        if block != key.reference_key:
            path = block.path_from_id("value")
            yield Control(block.name, path, True, path in driven, (block.slider_min, block.slider_max))


def _properties(character: Object) -> Iterator[Control]:
    driven = _driven(character)
    bones = character.pose.bones if character.pose else ()
    for owner, prefix in ((character, ""), *((bone, f"{bone.name}:") for bone in bones)):
        for name, value in owner.items():
            if isinstance(value, int | float):
                path = f'{_path_to(owner)}["{bpy.utils.escape_identifier(name)}"]'
                yield Control(prefix + name, path, False, path in driven, _limits(owner, name, value))


def _limits(owner: Object | PoseBone, name: str, value: float) -> tuple[float, float]:
    if isinstance(value, bool):
        return (0.0, 1.0)
    about = owner.id_properties_ui(name).as_dict()
    low, high = float(about["min"]), float(about["max"])
    return (low, high) if low < high else UNBOUNDED


def _bone_channel(character: Object, name: str) -> Control:
    match = _CHANNEL.fullmatch(name)
    bone = character.pose.bones.get(match[1]) if match and character.pose else None
    if match is None or bone is None:
        there = ", ".join(control.name for control in sliders(character)[:8]) or "none"
        raise BadInput(
            f"“{character.name}” has no control named “{name}”. Its shape keys and properties: {there}; a bone's own "
            "channel is named like jaw:rotation_euler.x."
        )
    channel, axis = match[2], match[3]
    turns = "rotation_quaternion" if bone.rotation_mode == "QUATERNION" else "rotation_euler"
    if (channel.startswith("rotation") and channel != turns) or (axis == "w" and channel != "rotation_quaternion"):
        raise BadInput(f"The bone “{bone.name}” has no channel {channel}.{axis}; it turns by {turns}.")
    path = f"{_path_to(bone)}.{channel}"
    return Control(name, path, False, path in _driven(character), UNBOUNDED, axis)


def _path_to(owner: Object | PoseBone) -> str:
    return owner.path_from_id() if isinstance(owner, PoseBone) else ""


def _driven(owner: ID) -> set[str]:
    data = owner.animation_data
    return {driver.data_path for driver in data.drivers} if data else set()


def _channel(character: Object, path: str) -> object:
    """A bone's location, rotation or scale as it stands in its own space, whatever has put it there."""
    owner, _, channel = path.rpartition(".")
    bone = character.path_resolve(owner)
    local = character.convert_space(pose_bone=bone, matrix=bone.matrix, from_space="POSE", to_space="LOCAL")
    match channel:
        case "location":
            return local.to_translation()
        case "rotation_euler":
            return local.to_euler(bone.rotation_mode)
        case "rotation_quaternion":
            return local.to_quaternion()
        case _:
            return local.to_scale()
