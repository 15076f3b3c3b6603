# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone track outside of the list: as markers of the timeline, and in files."""

from __future__ import annotations

import bpy
from bpy.types import Context

from .. import compat, markers, phones
from ..errors import BadInput
from . import properties
from .buttons import AtOnce
from .file_dialog import FileDialog
from .viseme_list import PhoneButton, are_of, fill, is_listed, last_result, listed, phones_of


class ShowMarkers(PhoneButton, AtOnce, bpy.types.Operator):
    """Mark on the timeline where each phone of the last result begins"""

    bl_idname = "mouthpiece.show_phone_markers"
    bl_label = "Show Phones as Markers"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: Context) -> str:
        """Set markers, in place of the earlier ones of ours."""
        count = markers.show(compat.sequencer_scene(context), last_result(context))
        return f"{count} phones are marked on the timeline."


class RemoveMarkers(AtOnce, bpy.types.Operator):
    """Take the phones' markers off the timeline; your own markers stay"""

    bl_idname = "mouthpiece.remove_phone_markers"
    bl_label = "Remove Phone Markers"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: Context) -> str:
        """Remove those with our prefix."""
        return f"{markers.remove(compat.sequencer_scene(context))} markers removed."


class PhoneFileDialog(FileDialog):
    """Asks for a file of phones."""

    filter_glob: bpy.props.StringProperty(default="*.json;*.TextGrid", options={"HIDDEN"})

    def suggested(self, context: Context) -> str:
        """Named after what is spoken."""
        return f"{bpy.path.clean_name(properties.spoken(context)[1]) or 'phones'}.json"


class ExportPhones(PhoneFileDialog, PhoneButton, AtOnce, bpy.types.Operator):
    """Save the phones of the last result: .TextGrid for Praat, or .json with the strengths of the list"""

    bl_idname = "mouthpiece.export_phones"
    bl_label = "Save Phones"

    def act(self, context: Context) -> str:
        """Write the file."""
        settings, result = context.scene.mouthpiece_visemes, last_result(context)
        phones.write(self.path, listed(settings) if is_listed(settings, result) else phones_of(result))
        return f"Saved {self.path.name}."


class ImportVisemes(PhoneFileDialog, PhoneButton, AtOnce, bpy.types.Operator):
    """Take the list with its strengths from a .json file that was saved here"""

    bl_idname = "mouthpiece.import_visemes"
    bl_label = "Load Strengths"
    bl_options = {"UNDO"}

    def act(self, context: Context) -> str:
        """Fill the list."""
        spoken, result = phones.read(self.path), last_result(context)
        if not are_of(result, spoken):
            raise BadInput("The file holds the phones of another result than this strip's last one. Choose another.")
        fill(context.scene.mouthpiece_visemes, result.choice.title, spoken)
        return ""


register, unregister = bpy.utils.register_classes_factory((ShowMarkers, RemoveMarkers, ExportPhones, ImportVisemes))
