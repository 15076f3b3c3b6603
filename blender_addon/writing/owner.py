# SPDX-License-Identifier: GPL-3.0-or-later
"""The datablocks that carry a face's animation: whose they are, and whether keys can be written on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
from bpy.types import ID, Key, Object

from ..errors import BadInput
from ..rig import family

COLLECTIONS = {"KEY": "shape_keys", "OBJECT": "objects", "ARMATURE": "armatures", "MESH": "meshes"}
"""Where Blender keeps the kinds of datablock that faces are animated by."""


@dataclass(frozen=True)
class Owner:
    """Stands for a datablock while the file is open; unlike a reference it outlives an undo."""

    kind: str
    """Blender's `id_type`, such as ``KEY``."""
    uid: int
    """Its `session_uid`."""

    @classmethod
    def of(cls, block: ID) -> Owner:
        """The owner that stands for a datablock."""
        return cls(block.id_type, block.session_uid)

    def find(self) -> ID | None:
        """The datablock, or None where it has been removed."""
        blocks = getattr(bpy.data, COLLECTIONS[self.kind])
        return next((block for block in blocks if block.session_uid == self.uid), None)


def animated() -> Iterator[ID]:
    """Every datablock that may carry a face's animation and has some."""
    for name in COLLECTIONS.values():
        for block in getattr(bpy.data, name):
            if block.animation_data is not None:
                yield block


def blocks_of(character: str) -> list[ID]:
    """What may carry the animation of a character, given its name, and of the meshes and armature that move with it."""
    thing = bpy.data.objects.get(character)
    if thing is None:
        return []
    kin = (thing, *family.meshes_of(thing), family.armature_of(thing))
    found = (block for one in kin if one for block in (one, one.data, getattr(one.data, "shape_keys", None)))
    return [*dict.fromkeys(block for block in found if block and block.id_type in COLLECTIONS)]


def shape_keys_of(character: Object) -> Key:
    """The shape keys that can take animation; raises `BadInput` where there are none or they cannot be written."""
    key = getattr(character.data, "shape_keys", None)
    if key is None:
        raise BadInput(f"“{character.name}” has no shape keys. Choose a character whose mouth moves by shape keys.")
    if not key.is_editable:
        raise BadInput(
            f"The shape keys of “{character.name}” are linked from another file, so keys written here would be lost. "
            "Click Make Mesh Override, or make its mesh local or a library override yourself."
        )
    if not key.use_relative:
        raise BadInput(f"The shape keys of “{character.name}” are absolute. Turn on “Relative” beside them.")
    check_not_tweaked(key, character.name)
    return key


def check_not_tweaked(block: ID, name: str) -> None:
    """Raises `BadInput` where an NLA strip of a datablock is just being edited; `name`: what the artist calls it."""
    if block.animation_data and block.animation_data.use_tweak_mode:
        raise BadInput(f"A strip of “{name}” is in tweak mode in the NLA editor. Leave that first (Tab).")
