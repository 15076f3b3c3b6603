# SPDX-License-Identifier: GPL-3.0-or-later
"""A button that asks for a file first."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context, Event


class FileDialog:
    """Mixed into an operator: Blender's file browser, and the path that was chosen in it."""

    filename_ext = ""
    """The ending that a chosen name gets where it lacks it."""
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def suggested(self, _context: Context) -> str:
        """The name that the browser begins with."""
        return ""

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the file."""
        self.filepath = self.filepath or self.suggested(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @property
    def path(self) -> Path:
        """The chosen file."""
        return Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), self.filename_ext))
