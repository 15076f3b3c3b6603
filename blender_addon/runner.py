# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the running job, step by step, from a timer of Blender's interface or from a loop that waits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy

from . import job as jobs
from . import placing, preferences, sentences, session, shelf
from .errors import BadInput, Cancelled, MouthpieceError, show, unforeseen
from .redraw import redraw
from .worklist import Entry, Fate, Worklist

if TYPE_CHECKING:
    from .choice import Choice
    from .environment import Launch

TICK_SECONDS = 0.05
IDLE_TICK_SECONDS = 1.0
"""How often a backend that has nothing to do is looked after."""
WORK_SECONDS = 0.01
"""How long one step may keep Blender from drawing."""
NOTHING_KEPT = "Nothing has been generated for this strip yet. Generate it first."


class Runner:
    """What is driven, and what came of the last jobs."""

    def __init__(self) -> None:
        self.report: placing.Report | None = None
        """Of the last job."""
        self.worklist = Worklist()
        self.performances: dict[tuple[str, str], placing.Performance] = {}
        """The last motion of each scene and strip or file since the .blend was opened, to be written again.

        Those of earlier sittings are in `shelf.current`.
        """
        self._job: jobs.Job | None = None
        self._shown: tuple[object, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether there is anything to drive."""
        return session.current.busy or self._job is not None or self.worklist.waiting

    def begin(self, choice: Choice, launch: Launch) -> None:
        """Begin a job; raises `MouthpieceError`, and nothing has begun."""
        self._check_free()
        self._begin(jobs.Generation(choice, launch, session.current))
        self.worklist = Worklist()

    def begin_again(self, choice: Choice) -> None:
        """Write the last motion of the choice's strip again; raises `MouthpieceError`, and nothing has begun."""
        self._check_free()
        self._begin(jobs.Rewriting(self.kept(choice), choice, session.current))
        self.worklist = Worklist()

    def kept(self, choice: Choice) -> placing.Performance:
        """The last motion of the choice's strip, of this sitting or an earlier one; raises `MouthpieceError`."""
        spoken = choice.scene, choice.title
        kept = self.performances.get(spoken) or shelf.current.get(preferences.results_folder(), _label(spoken))
        if kept is None:
            raise BadInput(NOTHING_KEPT)
        return kept

    def has_kept(self, spoken: tuple[str, str]) -> bool:
        """Whether the motion of a scene's strip or file is there to be written again."""
        return spoken in self.performances or shelf.current.has(preferences.results_folder(), _label(spoken))

    def shelve(self) -> None:
        """Keep what is in memory on disk too, where the .blend has a name now that is not there yet."""
        for spoken, kept in self.performances.items():
            if not shelf.current.has(preferences.results_folder(), _label(spoken)):
                self._shelve(spoken, kept)

    def line_up(self, choices: Sequence[Choice], launch: Launch) -> None:
        """Have several jobs done one after the other."""
        for choice in choices:
            self.worklist.add(Entry(choice, launch))

    def cancel(self) -> None:
        """Stop the running job, and begin no other."""
        self.worklist.cancel_waiting()
        session.current.cancel()

    def watch(self) -> None:
        """Let a timer drive what has begun, and look after the backend once that is over."""
        if bpy.app.timers.is_registered(_on_timer):  # it may be between two of its rare looks
            bpy.app.timers.unregister(_on_timer)
        bpy.app.timers.register(_on_timer, persistent=True)

    def wait(self) -> None:
        """Drive what has begun to its end."""
        while self.busy:
            self.step()
            time.sleep(jobs.POLL_SECONDS)

    def step(self) -> None:
        """Do a little of what there is to do."""
        try:
            session.current.pump()
            self._go_on()
        except MouthpieceError as problem:
            self._drop_job(problem)
        except Exception as fault:  # noqa: BLE001 (the top of a timer: what waits goes on)
            self._drop_broken_job(fault)
        self._keep()
        if not self.busy:
            session.current.rest(preferences.idle_seconds())
        self._redraw()

    def apply(self) -> bool:
        """Write the finished job's keys; False where that failed: the session shows why, and nothing has changed."""
        try:
            if self._job:
                self._job.apply()
        except MouthpieceError as problem:
            self._drop_job(problem)
        except Exception as fault:  # noqa: BLE001 (the top of an operator)
            self._drop_broken_job(fault)
        return self._job is not None

    def forget(self) -> None:
        """Stop what is going on; the file that it was for is being closed."""
        self.worklist.cancel_waiting()
        self._drop_job(Cancelled("Cancelled."))
        session.current.forget()
        self.report, self.worklist, self.performances = None, Worklist(), {}

    def _check_free(self) -> None:
        if self.busy:
            raise sentences.at_work()

    def _begin(self, job: jobs.Job) -> None:
        self.report, self._job = None, job

    def _go_on(self) -> None:
        if self._job is None and not session.current.busy:
            entry = self.worklist.begin_next()
            if entry:
                self._begin(jobs.Generation(entry.choice, entry.launch, session.current))
        elif self._job and self._job.applied:
            self.report, self._job = self._job.report(), None
            self.worklist.end(Fate.DONE, self.report.sentence, self.report)
        elif self._job and self._job.advance(WORK_SECONDS) and not _artist_is_dragging():
            _apply_in_one_undo_step()

    def _keep(self) -> None:
        kept = self._job.performance if self._job else None
        spoken = (kept.choice.scene, kept.choice.title) if kept else ("", "")
        if kept and self.performances.get(spoken) is not kept:
            self.performances[spoken] = kept
            self._shelve(spoken, kept)

    def _shelve(self, spoken: tuple[str, str], kept: placing.Performance) -> None:
        if bpy.data.filepath:
            shelf.current.put(preferences.results_folder(), _label(spoken), kept, preferences.results_limit())

    def _drop_job(self, problem: MouthpieceError) -> None:
        self._keep()
        job, self._job = self._job, None
        if job:
            job.abandon(problem)
        self.worklist.end(Fate.CANCELLED if isinstance(problem, Cancelled) else Fate.FAILED, str(problem))

    def _drop_broken_job(self, fault: Exception) -> None:
        show(fault)
        problem = unforeseen(fault)
        self._drop_job(problem)
        if session.current.busy:  # where there was no job that could end it
            session.current.fail(problem)

    def _redraw(self) -> None:
        now = session.current
        fates = tuple(entry.fate for entry in self.worklist.entries)
        shown = (now.state, now.stage, round(now.fraction, 2), now.message, now.status, now.has_backend, fates)
        if shown != self._shown:
            self._shown = shown
            redraw()


current = Runner()
"""The runner of this Blender."""


def _label(spoken: tuple[str, str]) -> shelf.Label:
    return shelf.Label(bpy.data.filepath, *spoken)


def _on_timer() -> float | None:
    current.step()
    if current.busy:
        return TICK_SECONDS
    return IDLE_TICK_SECONDS if session.current.has_backend else None


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


@bpy.app.handlers.persistent
def _after_saving(*_arguments: object) -> None:
    current.shelve()


def register() -> None:
    """Watch for other files being opened, and for this one being saved."""
    bpy.app.handlers.load_pre.append(_before_another_file)
    bpy.app.handlers.save_post.append(_after_saving)


def unregister() -> None:
    """Stop everything, the backend too."""
    bpy.app.handlers.load_pre.remove(_before_another_file)
    bpy.app.handlers.save_post.remove(_after_saving)
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
    current.forget()
    shelf.current.wait()
    session.current.close()
