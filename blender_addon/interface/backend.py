# SPDX-License-Identifier: GPL-3.0-or-later
"""The box *Backend* of the preferences: install, repair, remove and check the backend's own Python environment."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.types import Context, Event, UILayout

from .. import environment, installation, installer, preferences, runner, sentences, session
from ..errors import Cancelled, MouthpieceError
from . import status
from .box import Box
from .buttons import AT_WORK, AtOnce, OpenFile, TakesTime
from .text import draw_sentence


class InstallBackend(TakesTime, bpy.types.Operator):
    """Make a Python environment of Mouthpiece's own and install the backend's packages in it; nothing else changes"""

    bl_idname = "mouthpiece.install_backend"
    bl_label = "Install Backend"
    bl_options = {"INTERNAL"}

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """One at a time."""
        return AT_WORK if installation.current.busy else ""

    def begin(self, _context: Context) -> None:
        """Look whether it can be done here, and begin."""
        order = preferences.order()
        installer.check(order, bpy.app.online_access)
        installation.current.begin(order, preferences.new_log_file("install"))

    def watch(self) -> None:
        """Move it on from a timer."""
        page.watch()

    def wait(self) -> None:
        """Move it on to its end, and wait for the backend's first answer."""
        page.wait()
        runner.current.wait()

    def tell(self) -> set[str]:
        """What failed, if anything did."""
        failure = installation.current.failure or session.current.failure
        if failure:
            self.report({"ERROR"}, str(failure))
            return {"CANCELLED"}
        return {"FINISHED"}


class CancelInstallation(AtOnce, bpy.types.Operator):
    """Stop the installation; a backend that was there before stays as it was"""

    bl_idname = "mouthpiece.cancel_installation"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Ask for it."""
        installation.current.cancel()
        return ""


class RemoveBackend(AtOnce, bpy.types.Operator):
    """Delete the backend's environment; models, presets and files of yours stay"""

    bl_idname = "mouthpiece.remove_backend"
    bl_label = "Remove Backend"
    bl_options = {"INTERNAL"}
    waits = True

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """Not while it is being made, and only where it is there."""
        if installation.current.busy:
            return AT_WORK
        return "" if preferences.backend_folder().is_dir() else "Nothing is installed."

    def invoke(self, context: Context, event: Event) -> set[str]:
        """In the interface: ask first, because getting it back may take a long download."""
        return context.window_manager.invoke_confirm(self, event)

    def act(self, _context: Context) -> str:
        """Let the backend leave, then delete its files in the background."""
        session.current.close()
        try:
            installation.current.remove(preferences.backend_folder())
        except OSError as problem:
            raise MouthpieceError(
                f"The backend's environment cannot be deleted: {problem}. Close what uses it."
            ) from problem
        if bpy.app.background:
            page.wait()
        else:
            page.watch()
        return ""


class OpenInstallLog(OpenFile, bpy.types.Operator):
    """Open the file that holds everything the installation has printed"""

    bl_idname = "mouthpiece.open_install_log"
    bl_label = "Open Install Log"
    bl_options = {"INTERNAL"}

    missing = "Nothing has been installed in this sitting."

    @classmethod
    def file(cls) -> Path | None:
        """The last installation's log."""
        return installation.current.log


def draw(layout: UILayout, context: Context) -> None:
    """The whole box."""
    box = layout.box()
    box.label(text="Backend")
    now, folder = installation.current, preferences.backend_folder()
    if now.busy:
        _draw_progress(box)
    elif folder.is_dir():
        _draw_installed(box, context, folder)
    else:
        _draw_offer(box, context)
    if now.failure:
        draw_sentence(box, context, str(now.failure), "INFO" if isinstance(now.failure, Cancelled) else "ERROR")
        box.operator(OpenInstallLog.bl_idname, icon="TEXT")
    _draw_own_python(box)
    _draw_check(box, context)


def _draw_sources(box: UILayout, context: Context) -> None:
    """What is installed, and where it comes from."""
    chosen = preferences.chosen()
    row = box.row()
    row.enabled = not chosen.wheels  # the folder holds one build, whichever it is
    row.prop(chosen, "build")
    box.prop(chosen, "wheels")
    if not bpy.app.online_access and not chosen.wheels:
        draw_sentence(box, context, installer.OFFLINE, "INFO")
        box.prop(context.preferences.system, "use_online_access")


def _draw_offer(box: UILayout, context: Context) -> None:
    _draw_sources(box, context)
    row = box.row()
    row.scale_y = 1.4
    row.operator(InstallBackend.bl_idname, icon="IMPORT")


def _draw_progress(box: UILayout) -> None:
    now = installation.current
    row = box.row(align=True)
    row.progress(factor=now.fraction, text=now.stage)
    if now.state is installation.State.BUILDING:
        row.operator(CancelInstallation.bl_idname, text="", icon="X")
    box.label(text=now.line)
    box.operator(OpenInstallLog.bl_idname, icon="TEXT")


def _draw_installed(box: UILayout, context: Context, folder: Path) -> None:
    if not environment.has_python(folder):
        draw_sentence(box, context, environment.BLENDER_GONE, "ERROR")
    elif not installer.is_current(folder, installer.LOCKS):
        draw_sentence(box, context, "Installed for another version of Mouthpiece. Click Repair.", "ERROR")
    else:
        box.label(text="Installed", icon="CHECKMARK")
    _draw_sources(box, context)
    row = box.row()
    row.operator(InstallBackend.bl_idname, text="Repair", icon="FILE_REFRESH")
    row.operator(RemoveBackend.bl_idname, text="Remove", icon="TRASH")


def _draw_own_python(box: UILayout) -> None:
    row = box.row()
    row.enabled = not os.environ.get(environment.VARIABLE)
    row.prop(preferences.chosen(), "backend_python")
    if not row.enabled:
        box.label(text=f"{environment.VARIABLE} is set and goes first", icon="INFO")
    elif preferences.is_own_python_chosen() and preferences.backend_folder().is_dir():
        box.label(text="Your own Python goes first; empty the field to use the installed one", icon="INFO")


def _draw_check(box: UILayout, context: Context) -> None:
    box.prop(preferences.chosen(), "device")
    box.prop(preferences.chosen(), "idle_minutes")
    row = box.row()
    row.operator("mouthpiece.check_backend", icon="CHECKMARK")
    row.operator(status.UnloadModel.bl_idname, icon="MEMORY")
    row.operator("mouthpiece.open_log", icon="TEXT")
    status.draw(box, context)
    if ready := session.current.ready:
        draw_sentence(box, context, sentences.described(ready), "BLANK1")


def _step() -> bool:
    """Move the installation on; False once it is over."""
    now = installation.current
    if now.step() and now.state is installation.State.BUILT and not runner.current.busy:
        session.current.close()  # Windows does not rename what runs
        if now.exchange() and not preferences.is_own_python_chosen():
            _check_backend()
    return now.busy


def _check_backend() -> None:
    try:
        session.current.start(preferences.launch())
    except MouthpieceError as problem:
        session.current.fail(problem)
    if not bpy.app.background:
        runner.current.watch()


def _stop() -> None:
    installation.current.cancel()


CLASSES = (InstallBackend, CancelInstallation, RemoveBackend, OpenInstallLog)
page = Box(CLASSES, draw, _step, _stop)
register, unregister = page.register, page.unregister
