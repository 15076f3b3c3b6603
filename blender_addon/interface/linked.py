# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Mesh Override: one click for a character whose shape keys are linked from another file."""

from __future__ import annotations

import bpy
from bpy.types import Context, Object, UILayout

from .. import linked
from . import properties
from .buttons import AtOnce
from .text import draw_sentence


class OverrideMesh(AtOnce, bpy.types.Operator):
    """Make library overrides of the character's meshes, so that keys on their shape keys are saved with this file"""

    bl_idname = "mouthpiece.override_mesh"
    bl_label = "Make Mesh Override"
    bl_options = {"UNDO"}

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only for a character that needs it."""
        return "" if locked_character(context) else "The character's shape keys can be animated as they are."

    def act(self, context: Context) -> str:
        """Override what has to be, and go on with the character that can be animated."""
        character = linked.unlock(locked_character(context), context.scene, context.view_layer)
        properties.settings(context).character = character
        return f"“{character.name}” can be animated in this file now."


def locked_character(context: Context) -> Object | None:
    """The chosen character where its shape keys are linked."""
    character = properties.settings(context).character or context.view_layer.objects.active
    return character if character and linked.is_locked(character) else None


def draw(layout: UILayout, context: Context) -> None:
    """Where the chosen character is linked: from which file, and the button that helps."""
    character = locked_character(context)
    if character:
        files = ", ".join(linked.libraries_of(character))
        draw_sentence(layout, context, f"The shape keys come from {files}.", "LIBRARY_DATA_DIRECT")
        layout.operator("mouthpiece.override_mesh", icon="LIBRARY_DATA_OVERRIDE")


register, unregister = bpy.utils.register_classes_factory((OverrideMesh,))
