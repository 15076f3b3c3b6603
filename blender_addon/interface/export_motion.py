# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Motion: the strip's last result as a file for other programs."""

from __future__ import annotations

import bpy
from bpy.types import Context

from .. import motion_export, runner
from . import properties
from .buttons import AtOnce
from .file_dialog import FileDialog


class ExportMotion(FileDialog, AtOnce, bpy.types.Operator):
    """Save the strip's last motion for other programs: Live Link Face (.csv), .json or .npz, by the name's ending"""

    bl_idname = "mouthpiece.export_motion"
    bl_label = "Export Motion"
    waits = True

    filter_glob: bpy.props.StringProperty(default="*.csv;*.json;*.npz", options={"HIDDEN"})

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only once the strip has been generated."""
        return "" if runner.current.has_kept(properties.spoken(context)) else runner.NOTHING_KEPT

    def suggested(self, context: Context) -> str:
        """Named after the strip."""
        return f"{properties.spoken(context)[1]}.csv"

    def act(self, context: Context) -> str:
        """Write the take that plays."""
        motion_export.check(self.path)
        choice = properties.choice(context)
        kept = runner.current.kept(choice)
        shown = kept.again(choice, bpy.data.objects[choice.character], kept.first_frame)
        motion_export.write(self.path, [shown.takes[shown.plays]])
        return f"Saved {self.path}."


register, unregister = bpy.utils.register_classes_factory((ExportMotion,))
