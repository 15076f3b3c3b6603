# SPDX-License-Identifier: GPL-3.0-or-later
"""A character's face: everything on it that can be written, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import bpy
from bpy.types import ID, Key, Object

from ..errors import BadInput
from ..writing import owner
from . import family, poses
from .match import Match, Names, match, recognise
from .profile import RigProfile, load, parse, shipped

PROPERTY = "mouthpiece_rig"
"""The property in which a character carries its profile, as JSON; `interface.mapping` registers it."""

_DRIVEN = {
    "shape keys": re.compile(r'^key_blocks\["(?P<name>.+)"\]\.value$'),
    "bones": re.compile(r'^pose\.bones\["(?P<name>.+)"\]\.(?:location|rotation)'),
}

Kind = Literal["shape keys", "properties", "poses", "bones"]


@dataclass(frozen=True)
class Part:
    """A datablock of a character, and which controls it has."""

    kind: Kind
    thing: Object
    """The object that the artist sees."""
    datablock: ID
    """What carries the animation: the mesh's Key, or the object."""
    found: Mapping[str, str]
    """The name in this part of each control that it has."""


@dataclass(frozen=True)
class Face:
    """All parts of a character, under one profile."""

    match: Match
    parts: tuple[Part, ...]

    @property
    def owners(self) -> tuple[ID, ...]:
        """The datablocks that get animation, each once."""
        return tuple(dict.fromkeys(part.datablock for part in self.parts))


def face_of(character: Object, profile: RigProfile | None = None) -> Face:
    """The face of a character; raises `BadInput` where it has none that can be animated.

    `profile`: what to take it for; without one, what the artist has chosen for it, or what it is recognised as.
    """
    shelf = [*_shelves(character)]
    names = _names(shelf)
    chosen = profile or remembered(character)
    found = match(chosen, names) if chosen else recognise(names)
    if found is None or not found.found:
        raise BadInput(_unknown(character, names, chosen))
    parts = tuple(_parts(shelf, found))
    for part in parts:
        _check(part)
    return Face(found, parts)


def leads(things: Iterable[Object], profile: RigProfile | None = None) -> list[Object]:
    """One object of each character among some: of those that move together the one with the most controls itself."""
    best: dict[frozenset[ID], tuple[int, Object]] = {}
    for thing in things:
        try:
            face = face_of(thing, profile)
        except BadInput:
            continue
        controls = sum(len(part.found) for part in face.parts if part.thing == thing)
        owners = frozenset(face.owners)
        if owners not in best or controls > best[owners][0]:
            best[owners] = (controls, thing)
    return [thing for _, thing in best.values()]


def candidates(character: Object) -> Names:
    """Everything on a character, and on what belongs to it, that could be a control."""
    return _names([*_shelves(character)])


def remembered(character: Object) -> RigProfile | None:
    """The profile that the artist has chosen for a character; raises `BadInput` where it is damaged."""
    text = carried(character)
    return parse(text, f"of {character.name}") if text else None


def carried(character: Object) -> str:
    """The profile that a character carries, as JSON; empty where it carries none."""
    custom = character.get(PROPERTY)  # which it is in files of Blender 5 from before the property was registered
    return getattr(character, PROPERTY) or (custom if isinstance(custom, str) else "")


def named(profile: str) -> RigProfile | None:
    """The profile that is meant by a file's path or a shipped profile's id; None for an empty text."""
    if not profile:
        return None
    return load(Path(bpy.path.abspath(profile))) if profile.casefold().endswith(".json") else shipped(profile)


@dataclass(frozen=True)
class _Shelf:
    """A datablock with everything in it that could be a control."""

    kind: Kind
    thing: Object
    datablock: ID
    names: tuple[str, ...]


def _shelves(character: Object) -> Iterator[_Shelf]:
    for mesh in family.meshes_of(character):
        key = mesh.data.shape_keys
        yield _Shelf("shape keys", mesh, key, _key_names(key))
    armature = family.armature_of(character)
    if armature:
        yield _Shelf("properties", armature, armature, _property_names(armature))
        yield _Shelf("poses", armature, armature, poses.pose_actions(armature))
        yield _Shelf("bones", armature, armature, tuple(bone.name for bone in armature.data.bones))


def _key_names(key: Key) -> tuple[str, ...]:
    return tuple(block.name for block in key.key_blocks if block != key.reference_key)


def _property_names(armature: Object) -> tuple[str, ...]:
    return tuple(name for name, value in armature.items() if isinstance(value, float))


def _names(shelf: list[_Shelf]) -> Names:
    def of(*kinds: Kind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for row in shelf if row.kind in kinds for name in row.names))

    return Names(of("shape keys", "properties"), of("poses"), of("bones"))


def _parts(shelf: list[_Shelf], whole: Match) -> Iterator[Part]:
    """The parts that have controls; what a property of the armature or a pose shows is left to it."""
    profile = whole.profile
    taken: set[str] = set()
    for row in sorted(shelf, key=lambda row: row.kind not in ("properties",)):
        if row.kind == "poses" and any(control in taken for control in whole.found):
            continue
        found = match(profile, _names([row])).found
        found = {control: name for control, name in found.items() if control in whole.found}
        driven = _driven_names(row)
        if row.kind == "shape keys":
            driven = {name for control, name in found.items() if control in taken and name in driven}
        found = {control: name for control, name in found.items() if name not in driven}
        if found:
            taken |= found.keys()
            yield Part(row.kind, row.thing, row.datablock, found)


def _driven_names(row: _Shelf) -> set[str]:
    """The shape keys or bones that drivers set."""
    data = row.datablock.animation_data
    if row.kind not in _DRIVEN or data is None:
        return set()
    driven = (_DRIVEN[row.kind].match(driver.data_path) for driver in data.drivers)
    return {bpy.utils.unescape_identifier(path["name"]) for path in driven if path}


def _unknown(character: Object, names: Names, profile: RigProfile | None) -> str:
    if profile:
        return (
            f"“{character.name}” has nothing of the rig profile “{profile.title}”. Choose its names under Rig Mapping."
        )
    if not (names.values or names.bones):
        return f"“{character.name}” has no shape keys. Choose a character whose mouth moves by shape keys or bones."
    what = "shape key" if names.values else "bone"
    return (
        f"No {what} of “{character.name}” has a name that Mouthpiece knows, such as jawOpen or mouthSmile_L. "
        "Choose its names under Rig Mapping."
    )


def _check(part: Part) -> None:
    """Raises `BadInput` where keys cannot be written on a part."""
    if part.kind == "shape keys":
        owner.shape_keys_of(part.thing)
        return
    if part.datablock.library:
        raise BadInput(f"“{part.thing.name}” is linked from another file. Make a library override of it first.")
    owner.check_not_tweaked(part.datablock, part.thing.name)
