# SPDX-License-Identifier: GPL-3.0-or-later
"""What our buttons have in common: why one cannot be clicked, work done at once, work that takes time.

They are mixed into `bpy.types.Operator`, whose methods they use.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Event

from .. import runner, session
from ..errors import MouthpieceError

if TYPE_CHECKING:
    Operator = bpy.types.Operator
else:
    Operator = object

AT_WORK = "Mouthpiece is at work; wait for it or cancel it."


class Button(Operator):
    """A button that says why it is greyed out."""

    waits = False
    """Whether it can be clicked only while no job goes on."""

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """The sentence that says why it cannot be clicked now; empty where it can."""
        return ""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Whether it can be clicked; Blender shows the reason where it cannot."""
        reason = AT_WORK if cls.waits and runner.current.busy else cls.why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason


class AtOnce(Button):
    """A button whose work is done when the click returns."""

    def act(self, context: Context) -> str:
        """Do it, and give the sentence to be shown, or none; raises `MouthpieceError`, and nothing has changed."""
        raise NotImplementedError

    def execute(self, context: Context) -> set[str]:
        """Do it and tell."""
        try:
            sentence = self.act(context)
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        if sentence:
            self.report({"INFO"}, sentence)
        return {"FINISHED"}


class OpenFile(AtOnce):
    """A button that opens a file with the program that this computer opens such files with."""

    missing = ""
    """The sentence where there is no file yet."""

    @classmethod
    def file(cls) -> Path | None:
        """Which one, if there is one."""
        raise NotImplementedError

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """Only once there is one."""
        file = cls.file()
        return "" if file and file.exists() else cls.missing

    def act(self, _context: Context) -> str:
        """Open it."""
        bpy.ops.wm.path_open(filepath=str(self.file()))
        return ""


class TakesTime(Button):
    """A button that begins what goes on after the click; unless it says otherwise, a job of the runner."""

    def begin(self, context: Context) -> None:
        """Begin; raises `MouthpieceError`, and nothing has begun."""
        raise NotImplementedError

    def watch(self) -> None:
        """Let a timer go on with it."""
        runner.current.watch()

    def wait(self) -> None:
        """Go on with it to its end."""
        runner.current.wait()

    def tell(self) -> set[str]:
        """Report how it has ended."""
        report = runner.current.report
        if report is None:
            self.report({"ERROR"}, session.current.message)
            return {"CANCELLED"}
        for warning in report.warnings:
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, report.sentence)
        return {"FINISHED"}

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """In the interface: begin, and let a timer go on."""
        return self.begin_and_watch(context)

    def begin_and_watch(self, context: Context) -> set[str]:
        """Begin, and let a timer go on."""
        if not self._has_begun(context):
            return {"CANCELLED"}
        self.watch()
        return {"FINISHED"}

    def execute(self, context: Context) -> set[str]:
        """In scripts and in the background: do it all."""
        if not self._has_begun(context):
            return {"CANCELLED"}
        self.wait()
        return self.tell()

    def _has_begun(self, context: Context) -> bool:
        try:
            self.begin(context)
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return False
        return True
