# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion asks of a character: a curve for everything that has to move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from . import bones, poses
from .face import Face, Part
from .profile import BoneMove
from .weights import Value, values_of

if TYPE_CHECKING:
    import numpy as np
    from bpy.types import ID

    from ..motion import Motion

UNLIMITED = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False)
class Curve:
    """One value per frame for one animatable number of the character."""

    datablock: ID
    """What carries the animation: the Key of a mesh, or an armature object. Good until the artist's next step."""
    data_path: str
    index: int
    """Place in the property where it has several numbers (a location), else 0."""
    values: np.ndarray
    """float32 [frames], not yet clipped."""
    limits: tuple[float, float]
    """What the property can hold; a shape key's slider range."""
    channels: frozenset[str]
    """The model's channels that move it, by their ARKit names; tells which region of the face it belongs to."""


def targets_of(face: Face, motion: Motion) -> list[Curve]:
    """The curves that show a motion on a face, datablock by datablock; unmoved controls get none.

    Raises `BadInput` where not one channel of the motion moves this face.
    """
    return curves_of(face, values_of(face.match, motion.names, motion.values))


def curves_of(face: Face, values: Sequence[Value]) -> list[Curve]:
    """The curves that give the controls of a face their values, datablock by datablock."""
    return [curve for part in face.parts for curve in _MAKERS[part.kind](face, part, values)]


def _key_curves(_face: Face, part: Part, values: Sequence[Value]) -> Iterator[Curve]:
    for value, name in _of(part, values):
        block = part.datablock.key_blocks[name]
        limits = (block.slider_min, block.slider_max)
        yield _curve(part, block.path_from_id("value"), 0, value.values, value.channels, limits)


def _property_curves(_face: Face, part: Part, values: Sequence[Value]) -> Iterator[Curve]:
    for value, name in _of(part, values):
        shown = part.datablock.id_properties_ui(name).as_dict()
        path = f'["{bpy.utils.escape_identifier(name)}"]'
        yield _curve(part, path, 0, value.values, value.channels, (shown["min"], shown["max"]))


def _pose_curves(_face: Face, part: Part, values: Sequence[Value]) -> Iterator[Curve]:
    weights = {name: value.values for value, name in _of(part, values)}
    channels = frozenset[str]().union(*(value.channels for value, _ in _of(part, values)))
    for bone, moved in poses.movements(part.thing, weights).items():
        yield from _tracks(part, bone, moved, channels)


def _bone_curves(face: Face, part: Part, values: Sequence[Value]) -> Iterator[Curve]:
    grouped: dict[str, list[tuple[BoneMove, np.ndarray]]] = {}
    channels: dict[str, frozenset[str]] = {}
    for value, name in _of(part, values):
        if value.move:
            grouped.setdefault(name, []).append((value.move, value.values))
            channels[name] = channels.get(name, frozenset()) | value.channels
    corners = [part.found[bone] for bone in face.match.profile.corners if bone in part.found]
    for name, moves in grouped.items():
        width = bones.mouth_width(part.thing, corners, name)
        yield from _tracks(part, name, bones.movement(part.thing, name, moves, width), channels[name])


_MAKERS = {"shape keys": _key_curves, "properties": _property_curves, "poses": _pose_curves, "bones": _bone_curves}


def _of(part: Part, values: Sequence[Value]) -> Iterator[tuple[Value, str]]:
    """The values of the controls that a part has, with its names of them."""
    for value in values:
        if value.control in part.found:
            yield value, part.found[value.control]


def _tracks(part: Part, name: str, moved: bones.Movement, channels: frozenset[str]) -> Iterator[Curve]:
    bone = part.thing.pose.bones[name]
    for track, index, values in bones.tracks(bone, moved):
        yield _curve(part, bone.path_from_id(track), index, values, channels, UNLIMITED)


def _curve(
    part: Part, path: str, index: int, values: np.ndarray, channels: frozenset[str], limits: tuple[float, float]
) -> Curve:
    return Curve(part.datablock, path, index, values.astype("float32"), limits, channels)
