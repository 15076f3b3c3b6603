# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the running job, step by step, from a timer of Blender's interface or from a loop that waits."""

from __future__ import annotations

import time

import bpy

from . import session
from .environment import Launch
from .errors import Cancelled, MouthpieceError
from .job import POLL_SECONDS, Choice, Job, Report

TICK_SECONDS = 0.05
WORK_SECONDS = 0.015
"""How long one step may keep Blender from drawing."""
AREAS = ("VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES")


class Runner:
    """What is driven, and what came of the last job."""

    def __init__(self) -> None:
        self.report: Report | None = None
        self._job: Job | None = None
        self._shown: tuple[object, ...] = ()

    def begin(self, choice: Choice, launch: Launch) -> None:
        """Begin a job; raises `MouthpieceError`, and nothing has begun."""
        self.report = None
        self._job = Job(choice, launch, session.current)

    def watch(self) -> None:
        """Let a timer drive what has begun."""
        if not bpy.app.timers.is_registered(_on_timer):
            bpy.app.timers.register(_on_timer, persistent=True)

    def wait(self) -> None:
        """Drive what has begun to its end."""
        while session.current.busy:
            self.step()
            time.sleep(POLL_SECONDS)

    def step(self) -> None:
        """Do a little of what there is to do."""
        session.current.pump()
        try:
            if self._job and self._job.applied:
                self.report, self._job = self._job.report(), None
            elif self._job and self._job.advance(WORK_SECONDS) and not _artist_is_dragging():
                _apply_in_one_undo_step()
        except MouthpieceError as problem:
            self._drop_job(problem)
        self._redraw()

    def apply(self) -> bool:
        """Write the finished job's keys; False where that failed: the session shows why, and nothing has changed."""
        try:
            if self._job:
                self._job.apply()
        except MouthpieceError as problem:
            self._drop_job(problem)
        return self._job is not None

    def forget(self) -> None:
        """Stop what is going on; the file that it was for is being closed."""
        self._drop_job(Cancelled("Cancelled."))
        session.current.forget()
        self.report = None

    def _drop_job(self, problem: MouthpieceError) -> None:
        job, self._job = self._job, None
        if job:
            job.abandon(problem)

    def _redraw(self) -> None:
        now = session.current
        shown = (now.state, now.stage, round(now.fraction, 2), now.message)
        if shown != self._shown:
            self._shown = shown
            for window in bpy.context.window_manager.windows:
                for area in window.screen.areas:
                    if area.type in AREAS:
                        area.tag_redraw()


current = Runner()
"""The runner of this Blender."""


def _on_timer() -> float | None:
    current.step()
    return TICK_SECONDS if session.current.busy else None


def _artist_is_dragging() -> bool:
    """In the middle of a transform or brush stroke no undo step can be made."""
    windows = bpy.context.window_manager.windows
    return any("BLOCKING" in operator.bl_options for window in windows for operator in window.modal_operators)


def _apply_in_one_undo_step() -> None:
    windows = bpy.context.window_manager.windows
    with bpy.context.temp_override(window=windows[0] if windows else None):
        bpy.ops.mouthpiece.apply_lip_sync("EXEC_DEFAULT", True)


@bpy.app.handlers.persistent
def _before_another_file(*_arguments: object) -> None:
    current.forget()


def register() -> None:
    """Watch for other files being opened."""
    bpy.app.handlers.load_pre.append(_before_another_file)


def unregister() -> None:
    """Stop everything, the backend too."""
    bpy.app.handlers.load_pre.remove(_before_another_file)
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
    current.forget()
    session.current.close()
