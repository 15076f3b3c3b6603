# SPDX-License-Identifier: GPL-3.0-or-later
"""What fields offer to choose from."""

from __future__ import annotations

import bpy
from bpy.types import Context, Object

from .. import audio, compat
from ..rig import own


def can_speak(settings: bpy.types.PropertyGroup, thing: Object) -> bool:
    """Whether an object can be chosen as a character of the scene that the settings are of.

    Any mesh can be where the scene's model is not the default one: it may move whole meshes.
    """
    has_face = thing.type == "ARMATURE" or getattr(thing.data, "shape_keys", None) or thing.find_armature()
    return bool(has_face) or own.can_move(settings.id_data.mouthpiece.model or own.SHIPPED_MODEL, thing)


def strip_names(_settings: bpy.types.PropertyGroup, context: Context, _typed: str) -> list[str]:
    """The strips that can be chosen, for a field with a search."""
    return [strip.name for strip in audio.sound_strips(compat.sequencer_scene(context))]
