# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion asks of a character: a curve for everything that has to move."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import bpy

from . import bones, poses
from .face import Face, Part
from .weights import Value, values_of

if TYPE_CHECKING:
    import numpy as np
    from bpy.types import ID

    from ..motion import Motion

UNLIMITED = (-math.inf, math.inf)

_Moved = tuple[str, bones.Movement, frozenset[str]]
"""A bone's name, what it does, and the channels that it follows."""


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
    """The curves that give the controls of a face their values, datablock by datablock; one for each number."""
    sliders = (_SLIDERS[part.kind](part, _shown(face, part, values)) for part in face.parts if part.kind in _SLIDERS)
    return [*chain.from_iterable(sliders), *_bone_curves(face, values)]


def _key_curves(part: Part, shown: Mapping[str, Value]) -> Iterator[Curve]:
    for name, value in shown.items():
        block = part.datablock.key_blocks[name]
        limits = (block.slider_min, block.slider_max)
        yield _curve(part, block.path_from_id("value"), 0, value.values, value.channels, limits)


def _property_curves(part: Part, shown: Mapping[str, Value]) -> Iterator[Curve]:
    for name, value in shown.items():
        ends = part.datablock.id_properties_ui(name).as_dict()
        path = f'["{bpy.utils.escape_identifier(name)}"]'
        yield _curve(part, path, 0, value.values, value.channels, (ends["min"], ends["max"]))


_SLIDERS = {"shape keys": _key_curves, "properties": _property_curves}


def _bone_curves(face: Face, values: Sequence[Value]) -> Iterator[Curve]:
    """What poses ask of a bone and what moves of its own ask of it is one movement."""
    asked: dict[str, tuple[Part, bones.Movement, frozenset[str]]] = {}
    for part in face.parts:
        for name, moved, channels in _MOVERS[part.kind](face, part, values) if part.kind in _MOVERS else ():
            if name in asked:
                _, other, others = asked[name]
                moved, channels = other + moved, others | channels
            asked[name] = part, moved, channels
    for name, (part, moved, channels) in asked.items():
        yield from _tracks(part, name, moved, channels)


def _posed(face: Face, part: Part, values: Sequence[Value]) -> Iterator[_Moved]:
    shown = _shown(face, part, values)
    channels = frozenset[str]().union(*(value.channels for value in shown.values()))
    weights = {name: value.values for name, value in shown.items()}
    for name, moved in poses.movements(part.thing, weights).items():
        yield name, moved, channels


def _moved(face: Face, part: Part, values: Sequence[Value]) -> Iterator[_Moved]:
    corners = [part.found[bone] for bone in face.match.profile.corners if bone in part.found]
    for name, several in _by_name(part, values).items():
        moves = [(value.move, value.values) for value in several if value.move]
        if moves:
            width = bones.mouth_width(part.thing, corners, name)
            yield name, bones.movement(part.thing, name, moves, width), _channels(several)


_MOVERS = {"poses": _posed, "bones": _moved}


def _by_name(part: Part, values: Sequence[Value]) -> dict[str, list[Value]]:
    """The values of the controls that a part has, by its names of them."""
    grouped: dict[str, list[Value]] = {}
    for value in values:
        if value.control in part.found:
            grouped.setdefault(part.found[value.control], []).append(value)
    return grouped


def _shown(face: Face, part: Part, values: Sequence[Value]) -> dict[str, Value]:
    """What each name of a part shows: one value, also where several controls were given that name."""
    visemes = face.match.profile.visemes
    return {name: _joined(several, visemes) for name, several in _by_name(part, values).items()}


def _joined(several: Sequence[Value], visemes: Container[str]) -> Value:
    """One value for several controls of the same name.

    Visemes share out one mouth, so theirs add up: half of each of two that look alike is all of it. Other controls are
    each a whole movement, such as the two sides of a smile, of which half and half is half: the furthest one counts,
    and those that go below zero are counted against those above.
    """
    import numpy as np

    if len(several) == 1:
        return several[0]
    shares = [value.values for value in several if value.control in visemes]
    rows = [value.values for value in several if value.control not in visemes]
    whole = np.stack([*rows, np.sum(shares, axis=0)] if shares else rows)
    furthest = whole.max(axis=0).clip(min=0.0) + whole.min(axis=0).clip(max=0.0)
    return replace(several[0], values=furthest, channels=_channels(several))


def _channels(several: Sequence[Value]) -> frozenset[str]:
    return frozenset[str]().union(*(value.channels for value in several))


def _tracks(part: Part, name: str, moved: bones.Movement, channels: frozenset[str]) -> Iterator[Curve]:
    bone = part.thing.pose.bones[name]
    for track, index, values in bones.tracks(bone, moved):
        yield _curve(part, bone.path_from_id(track), index, values, channels, UNLIMITED)


def _curve(
    part: Part, path: str, index: int, values: np.ndarray, channels: frozenset[str], limits: tuple[float, float]
) -> Curve:
    return Curve(part.datablock, path, index, values.astype("float32"), limits, channels)
