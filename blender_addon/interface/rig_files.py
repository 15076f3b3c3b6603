# SPDX-License-Identifier: GPL-3.0-or-later
"""Save and load a character's rig profile."""

from __future__ import annotations

import bpy
from bpy.types import Context

from ..rig.face import face_of, remembered
from ..rig.mapping import chosen, lines_of, save
from ..rig.profile import load
from . import mapping, properties
from .buttons import AtOnce
from .file_dialog import FileDialog


class ProfileButton(FileDialog, AtOnce):
    """What saving and loading have in common: only with a character, and a dialog for a .json file."""

    filename_ext = ".json"

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only with a character."""
        return "" if mapping.character_of(context) else "Select the character, or choose it above."

    def suggested(self, context: Context) -> str:
        """Named after the character."""
        return f"{properties.character_name(context)}.json"


class SaveRigProfile(ProfileButton, bpy.types.Operator):
    """Save the character's rig profile, for other shots and for the command line"""

    bl_idname = "mouthpiece.save_rig_profile"
    bl_label = "Save Profile"

    def act(self, context: Context) -> str:
        """Write what the character carries, or what it was recognised as."""
        character = mapping.character_of(context)
        profile = mapping.present(character)
        save(remembered(character) or chosen(character, profile, lines_of(character, profile)), self.path)
        return f"Saved {self.path.name}."


class LoadRigProfile(ProfileButton, bpy.types.Operator):
    """Load a rig profile and have the character carry it"""

    bl_idname = "mouthpiece.load_rig_profile"
    bl_label = "Load Profile"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads a set here)

    def act(self, context: Context) -> str:
        """Read it, and take it over where the character has anything of it."""
        character, profile = mapping.character_of(context), load(self.path)
        face = face_of(character, profile)
        mapping.fill(character, profile)
        return face.match.sentences[0]


register, unregister = bpy.utils.register_classes_factory((SaveRigProfile, LoadRigProfile))
