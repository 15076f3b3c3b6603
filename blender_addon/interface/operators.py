# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons: context in, call, report out."""

from __future__ import annotations

import bpy
from bpy.types import Context, Event

from .. import preferences, runner, session
from ..errors import MouthpieceError
from . import properties


class GenerateLipSync(bpy.types.Operator):
    """Let the character speak what the sound strip says"""

    bl_idname = "mouthpiece.generate"
    bl_label = "Generate Lip Sync"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """A job at a time, and only with all that it needs."""
        reason = "Mouthpiece is at work." if runner.current.busy else properties.why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """In the interface: begin, and let a timer go on."""
        if self._begin(context):
            runner.current.watch()
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: Context) -> set[str]:
        """In scripts and in the background: do it all."""
        if not self._begin(context):
            return {"CANCELLED"}
        runner.current.wait()
        return _tell(self)

    def _begin(self, context: Context) -> bool:
        try:
            runner.current.begin(properties.choice(context), preferences.launch())
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True


class ApplyLast(bpy.types.Operator):
    """Write the strip's last motion again, with the character and the options of now: the model is not run"""

    bl_idname = "mouthpiece.apply_last"
    bl_label = "Apply Last Result"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only once the strip has been generated in this sitting."""
        there = not runner.current.busy and runner.current.has_kept(properties.spoken(context))
        if not there:
            cls.poll_message_set("Generate this strip first; its result is kept while the file is open.")
        return there

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """In the interface: begin, and let a timer go on."""
        if self._begin(context):
            runner.current.watch()
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: Context) -> set[str]:
        """In scripts and in the background: do it all."""
        if not self._begin(context):
            return {"CANCELLED"}
        runner.current.wait()
        return _tell(self)

    def _begin(self, context: Context) -> bool:
        try:
            runner.current.begin_again(properties.choice(context))
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True


def _tell(operator: bpy.types.Operator) -> set[str]:
    """Report how the runner's job has ended."""
    report = runner.current.report
    if report is None:
        operator.report({"ERROR"}, session.current.message)
        return {"CANCELLED"}
    for warning in report.warnings:
        operator.report({"WARNING"}, warning)
    operator.report({"INFO"}, report.sentence)
    return {"FINISHED"}


class ApplyLipSync(bpy.types.Operator):
    """Write the finished motion: the one step that changes the file, and the one that undo takes back"""

    bl_idname = "mouthpiece.apply_lip_sync"
    bl_label = "Generate Lip Sync"
    bl_options = {"UNDO", "INTERNAL"}  # noqa: RUF012 (Blender reads a set here)

    def execute(self, _context: Context) -> set[str]:
        """Apply what the runner holds."""
        return {"FINISHED"} if runner.current.apply() else {"CANCELLED"}


class Cancel(bpy.types.Operator):
    """Stop the lip sync that is being generated; nothing in the file changes"""

    bl_idname = "mouthpiece.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, _context: Context) -> set[str]:
        """Ask for it."""
        runner.current.cancel()
        return {"FINISHED"}


class CheckBackend(bpy.types.Operator):
    """Start the backend and see whether it answers"""

    bl_idname = "mouthpiece.check_backend"
    bl_label = "Check Backend"

    def invoke(self, _context: Context, _event: Event) -> set[str]:
        """In the interface: start it, and let a timer wait for it."""
        if self._start():
            runner.current.watch()
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, _context: Context) -> set[str]:
        """In scripts and in the background: wait for its answer."""
        if not self._start():
            return {"CANCELLED"}
        runner.current.wait()
        if session.current.ready is None:
            self.report({"ERROR"}, session.current.message)
            return {"CANCELLED"}
        self.report({"INFO"}, session.describe(session.current.ready))
        return {"FINISHED"}

    def _start(self) -> bool:
        try:
            session.current.start(preferences.launch())
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True


class OpenLog(bpy.types.Operator):
    """Open the file that holds everything the backend has printed"""

    bl_idname = "mouthpiece.open_log"
    bl_label = "Open Log"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    @classmethod
    def poll(cls, _context: Context) -> bool:
        """Only once there is one."""
        there = session.current.log_file is not None and session.current.log_file.exists()
        if not there:
            cls.poll_message_set("The backend has not been started yet.")
        return there

    def execute(self, _context: Context) -> set[str]:
        """Hand it to the program that this computer opens text files with."""
        bpy.ops.wm.path_open(filepath=str(session.current.log_file))
        return {"FINISHED"}


class OpenPreferences(bpy.types.Operator):
    """Open Mouthpiece's preferences, where the backend's Python is chosen"""

    bl_idname = "mouthpiece.open_preferences"
    bl_label = "Open Preferences"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, _context: Context) -> set[str]:
        """Show the add-on's page."""
        bpy.ops.preferences.addon_show(module=preferences.EXTENSION)
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory(
    (GenerateLipSync, ApplyLast, ApplyLipSync, Cancel, CheckBackend, OpenLog, OpenPreferences)
)
