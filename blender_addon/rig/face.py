# SPDX-License-Identifier: GPL-3.0-or-later
"""A character's face: what can be written on it, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from bpy.types import Key, Object

from .. import animation
from ..errors import BadInput
from .match import Match, recognise


@dataclass(frozen=True)
class Face:
    """Shape keys that can be written, and what they mean."""

    key: Key
    match: Match


def face_of(character: Object) -> Face:
    """The face of a character; raises `BadInput` where it has none that can be animated."""
    key = animation.shape_keys_of(character)
    match = recognise(tuple(block.name for block in key.key_blocks if block != key.reference_key))
    if match is None:
        raise BadInput(
            f"No shape key of “{character.name}” has a name that Mouthpiece knows, such as jawOpen or mouthSmile_L."
        )
    return Face(key, match)
