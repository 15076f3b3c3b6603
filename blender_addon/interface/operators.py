# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons: context in, call, report out."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context

from .. import preferences, runner, sentences, session
from . import properties
from .buttons import AtOnce, OpenFile, TakesTime


class GenerateLipSync(TakesTime, bpy.types.Operator):
    """Let the character speak what the sound strip says"""

    bl_idname = "mouthpiece.generate"
    bl_label = "Generate Lip Sync"
    waits = True

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only with all that it needs."""
        return properties.why_not(context)

    def begin(self, context: Context) -> None:
        """Have the model run."""
        runner.current.begin(properties.choice(context), preferences.launch())


class ApplyLast(TakesTime, bpy.types.Operator):
    """Write the strip's last motion again, with the character and the options of now: the model is not run"""

    bl_idname = "mouthpiece.apply_last"
    bl_label = "Apply Last Result"
    waits = True

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only once the strip has been generated, in this sitting or an earlier one."""
        return "" if runner.current.has_kept(properties.spoken(context)) else runner.NOTHING_KEPT

    def begin(self, context: Context) -> None:
        """Write it again."""
        runner.current.begin_again(properties.choice(context))


class ApplyLipSync(bpy.types.Operator):
    """Write the finished motion: the one step that changes the file, and the one that undo takes back"""

    bl_idname = "mouthpiece.apply_lip_sync"
    bl_label = "Generate Lip Sync"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, _context: Context) -> set[str]:
        """Apply what the runner holds."""
        return {"FINISHED"} if runner.current.apply() else {"CANCELLED"}


class Cancel(AtOnce, bpy.types.Operator):
    """Stop the lip sync that is being generated; nothing in the file changes"""

    bl_idname = "mouthpiece.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Ask for it."""
        runner.current.cancel()
        return ""


class CheckBackend(TakesTime, bpy.types.Operator):
    """Start the backend and see whether it answers"""

    bl_idname = "mouthpiece.check_backend"
    bl_label = "Check Backend"

    def begin(self, _context: Context) -> None:
        """Start it; its first answer is waited for."""
        session.current.start(preferences.launch())

    def tell(self) -> set[str]:
        """What it has answered."""
        if session.current.ready is None:
            self.report({"ERROR"}, session.current.message)
            return {"CANCELLED"}
        self.report({"INFO"}, sentences.described(session.current.ready))
        return {"FINISHED"}


class OpenLog(OpenFile, bpy.types.Operator):
    """Open the file that holds everything the backend has printed"""

    bl_idname = "mouthpiece.open_log"
    bl_label = "Open Log"
    bl_options = {"INTERNAL"}

    missing = "The backend has not been started yet."

    @classmethod
    def file(cls) -> Path | None:
        """The newest backend's log."""
        return session.current.log_file


class OpenPreferences(AtOnce, bpy.types.Operator):
    """Open Mouthpiece's preferences, where the backend's Python is chosen"""

    bl_idname = "mouthpiece.open_preferences"
    bl_label = "Open Preferences"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Show the add-on's page."""
        bpy.ops.preferences.addon_show(module=preferences.EXTENSION)
        return ""


register, unregister = bpy.utils.register_classes_factory(
    (GenerateLipSync, ApplyLast, ApplyLipSync, Cancel, CheckBackend, OpenLog, OpenPreferences)
)
