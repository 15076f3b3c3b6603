# SPDX-License-Identifier: GPL-3.0-or-later
"""What fields offer to choose from."""

from __future__ import annotations

import bpy
from bpy.types import Context, Object

from .. import audio, compat


def can_speak(_settings: bpy.types.PropertyGroup, thing: Object) -> bool:
    """Whether an object can be chosen as a character."""
    return thing.type == "ARMATURE" or getattr(thing.data, "shape_keys", None) is not None


def strip_names(_settings: bpy.types.PropertyGroup, context: Context, _typed: str) -> list[str]:
    """The strips that can be chosen, for a field with a search."""
    return [strip.name for strip in audio.sound_strips(compat.sequencer_scene(context))]
