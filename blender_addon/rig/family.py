# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects make up a character: a head rarely comes without teeth, tongue, brows and lashes of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy
from bpy.types import Object
from mathutils import Vector

MARGIN = 0.1
"""Brows and lashes may stick out of the head by this share of its size."""


def armature_of(character: Object) -> Object | None:
    """The armature that a character is, hangs on, or is deformed by; what it is parented to takes it along."""
    return next(_armatures((character, *_parents(character))), None)


def meshes_of(character: Object) -> list[Object]:
    """The meshes with shape keys of a character, itself first where it is one; one for each set of shape keys."""
    armature = armature_of(character)
    scenes = set(character.users_scene)
    things = [thing for thing in bpy.data.objects if has_shape_keys(thing) and scenes.intersection(thing.users_scene)]
    kin = [thing for thing in things if thing != character and _belongs(thing, character, armature)]
    found = [character, *kin] if has_shape_keys(character) else kin
    return [*{thing.data.shape_keys: thing for thing in reversed(found)}.values()][::-1]


def has_shape_keys(thing: Object) -> bool:
    """Whether an object is a mesh (or curve, or lattice) with shape keys."""
    return getattr(thing.data, "shape_keys", None) is not None


def _parents(thing: Object) -> Iterator[Object]:
    while thing.parent:
        thing = thing.parent
        yield thing


def _armatures(things: Iterable[Object]) -> Iterator[Object]:
    """The armatures that things are or are deformed by."""
    for thing in things:
        if thing.type == "ARMATURE":
            yield thing
        yield from (found.object for found in thing.modifiers if found.type == "ARMATURE" and found.object)


def _belongs(thing: Object, character: Object, armature: Object | None) -> bool:
    """By a shared armature, by being parented to the character, or by lying inside it with a common parent or home."""
    own, is_child = armature_of(thing), character in _parents(thing)
    if own and armature:
        return own == armature
    if own or is_child:
        return is_child
    near = thing.parent is not None and (thing.parent == character.parent or thing in _parents(character))
    return (near or _share_home(thing, character)) and _lies_inside(thing, character)


def _share_home(thing: Object, character: Object) -> bool:
    """Whether both lie in a collection that somebody has made for them."""
    roots = {scene.collection for scene in character.users_scene}
    return bool(set(thing.users_collection).intersection(character.users_collection) - roots)


def _lies_inside(thing: Object, character: Object) -> bool:
    """Whether the middle of one object lies in the box around the other one."""
    corners = [character.matrix_world @ Vector(corner) for corner in character.bound_box]
    middle = thing.matrix_world @ (sum((Vector(corner) for corner in thing.bound_box), Vector()) / 8)
    for axis in range(3):
        low, high = (pick(corner[axis] for corner in corners) for pick in (min, max))
        margin = MARGIN * (high - low)
        if not low - margin <= middle[axis] <= high + margin:
            return False
    return True
