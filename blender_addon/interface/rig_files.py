# SPDX-License-Identifier: GPL-3.0-or-later
"""Save and load a character's rig profile."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context, Event

from ..errors import MouthpieceError
from ..rig.face import face_of, remembered
from ..rig.mapping import chosen, lines_of, save
from ..rig.profile import load
from . import mapping, properties


class ProfileDialog:
    """What saving and loading have in common: only with a character, and a dialog for a .json file."""

    filename_ext = ".json"
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only with a character."""
        return mapping.character_of(context) is not None

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the file."""
        if not self.filepath:
            self.filepath = f"{properties.character_name(context)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @property
    def path(self) -> Path:
        """The chosen file."""
        return Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), self.filename_ext))


class SaveRigProfile(ProfileDialog, bpy.types.Operator):
    """Save the character's rig profile, for other shots and for the command line"""

    bl_idname = "mouthpiece.save_rig_profile"
    bl_label = "Save Profile"

    def execute(self, context: Context) -> set[str]:
        """Write what the character carries, or what it was recognised as."""
        character = mapping.character_of(context)
        try:
            profile = mapping.present(character)
            save(remembered(character) or chosen(character, profile, lines_of(character, profile)), self.path)
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {self.path.name}.")
        return {"FINISHED"}


class LoadRigProfile(ProfileDialog, bpy.types.Operator):
    """Load a rig profile and have the character carry it"""

    bl_idname = "mouthpiece.load_rig_profile"
    bl_label = "Load Profile"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads a set here)

    def execute(self, context: Context) -> set[str]:
        """Read it, and take it over where the character has anything of it."""
        character = mapping.character_of(context)
        try:
            profile = load(self.path)
            face = face_of(character, profile)
            mapping.fill(character, profile)
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, face.match.sentences[0])
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((SaveRigProfile, LoadRigProfile))
