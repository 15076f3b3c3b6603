# SPDX-License-Identifier: GPL-3.0-or-later
"""Save and load a character's rig profile."""

from __future__ import annotations

import bpy
from bpy.types import Context

from ..rig import face, profile
from ..rig import mapping as rows
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
        found = mapping.present(character)
        carried = face.remembered(character) or rows.chosen(character, found, rows.lines_of(character, found))
        rows.save(carried, self.path)
        return f"Saved {self.path.name}."


class LoadRigProfile(ProfileButton, bpy.types.Operator):
    """Load a rig profile and have the character carry it"""

    bl_idname = "mouthpiece.load_rig_profile"
    bl_label = "Load Profile"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: Context) -> str:
        """Read it, and take it over where the character has anything of it."""
        character, loaded = mapping.character_of(context), profile.load(self.path)
        sentences = face.face_of(character, loaded).match.sentences
        mapping.fill(character, loaded)
        return sentences[0]


register, unregister = bpy.utils.register_classes_factory((SaveRigProfile, LoadRigProfile))
