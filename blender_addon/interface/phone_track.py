# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone track outside of the list: as markers of the timeline, and in files."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context, Event

from .. import compat, markers, phones
from ..errors import MouthpieceError
from . import properties
from .viseme_list import PhoneOperator, fill, is_listed, kept, listed, phones_of


class ShowMarkers(PhoneOperator, bpy.types.Operator):
    """Mark on the timeline where each phone of the last result begins"""

    bl_idname = "mouthpiece.show_phone_markers"
    bl_label = "Show Phones as Markers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def execute(self, context: Context) -> set[str]:
        """Set markers, in place of the earlier ones of ours."""
        result = kept(context)
        count = markers.show(compat.sequencer_scene(context), result) if result else 0
        self.report({"INFO"}, f"{count} phones are marked on the timeline.")
        return {"FINISHED"}


class RemoveMarkers(bpy.types.Operator):
    """Take the phones' markers off the timeline; your own markers stay"""

    bl_idname = "mouthpiece.remove_phone_markers"
    bl_label = "Remove Phone Markers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def execute(self, context: Context) -> set[str]:
        """Remove those with our prefix."""
        self.report({"INFO"}, f"{markers.remove(compat.sequencer_scene(context))} markers removed.")
        return {"FINISHED"}


class FileOperator:
    """A button that asks for a file name."""

    filter_glob: bpy.props.StringProperty(default="*.json;*.TextGrid", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the file."""
        if not self.filepath:
            self.filepath = f"{bpy.path.clean_name(properties.spoken(context)[1]) or 'phones'}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class ExportPhones(FileOperator, PhoneOperator, bpy.types.Operator):
    """Save the phones of the last result: .TextGrid for Praat, or .json with the strengths of the list"""

    bl_idname = "mouthpiece.export_phones"
    bl_label = "Save Phones"

    def execute(self, context: Context) -> set[str]:
        """Write the file."""
        settings, result = context.scene.mouthpiece_visemes, kept(context)
        try:
            if result is not None:
                spoken = listed(settings) if is_listed(settings, result) else phones_of(result)
                phones.write(Path(bpy.path.abspath(self.filepath)), spoken)
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {self.filepath}")
        return {"FINISHED"}


class ImportVisemes(FileOperator, PhoneOperator, bpy.types.Operator):
    """Take the list with its strengths from a .json file that was saved here"""

    bl_idname = "mouthpiece.import_visemes"
    bl_label = "Load Strengths"
    bl_options = {"UNDO"}  # noqa: RUF012

    def execute(self, context: Context) -> set[str]:
        """Fill the list."""
        result = kept(context)
        try:
            spoken = phones.read(Path(bpy.path.abspath(self.filepath)))
            if result is None or len(spoken) != len(result.motion.phones):
                raise MouthpieceError("The file holds the phones of another result than this strip's last one.")
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        fill(context.scene.mouthpiece_visemes, result.choice.title, spoken)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory((ShowMarkers, RemoveMarkers, ExportPhones, ImportVisemes))
