# SPDX-License-Identifier: GPL-3.0-or-later
"""The datablocks that a choice names; they are good until the artist's next step."""

from __future__ import annotations

import bpy
from bpy.types import Object, Scene

from .errors import BadInput


def scene_named(name: str) -> Scene:
    """Raises `BadInput` where there is none."""
    scene = bpy.data.scenes.get(name)
    if scene is None:
        raise BadInput(f"There is no scene named “{name}”. Choose another one.")
    return scene


def character_named(name: str) -> Object:
    """Raises `BadInput` where there is none, or where it was deleted and only a choice keeps it in the file."""
    character = bpy.data.objects.get(name)
    if character is None:
        raise BadInput(f"There is no object named “{name}”. Choose another character.")
    if not character.users_collection:
        raise BadInput(f"“{name}” is no longer in the scene. Choose another character.")
    return character
