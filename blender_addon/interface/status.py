# SPDX-License-Identifier: GPL-3.0-or-later
"""Backend: how the backend is, which models it holds, how much memory is left, and the buttons that go with that."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from .. import preferences, runner, sentences, session
from .buttons import AtOnce
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence


class UnloadModel(AtOnce, bpy.types.Operator):
    """Give the memory of the loaded models back, the graphics card's too; the next click loads what it needs again"""

    bl_idname = "mouthpiece.unload_model"
    bl_label = "Unload Model"
    bl_options = {"INTERNAL"}
    waits = True

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """Only where one is loaded."""
        return "" if _is_loaded() else "No model is loaded."

    def act(self, _context: Context) -> str:
        """Ask for it; the panel shows when it is done."""
        session.current.unload()
        runner.current.watch()
        return ""


class BackendTab(Tab):
    """What both sidebars show last."""

    bl_label = "Backend"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, _context: Context) -> None:
        """The state in a word, which is to be seen while the tab is closed too."""
        word, icon = word_and_icon()
        self.layout.label(text=word, icon=icon)

    def draw(self, context: Context) -> None:
        """All of it."""
        draw(self.layout, context)
        row = self.layout.row(align=True)
        row.operator(UnloadModel.bl_idname, icon="MEMORY")
        row.operator("mouthpiece.open_log", text="", icon="TEXT")
        row.operator("mouthpiece.open_preferences", text="", icon="PREFERENCES")


def draw(layout: UILayout, context: Context) -> None:
    """State, memory, and why it failed."""
    now = session.current
    draw_sentence(layout, context, sentence(), word_and_icon()[1])
    if now.ready and now.status:
        draw_sentence(layout, context, sentences.memory(now.ready.device, now.status), "MEMORY")


def word_and_icon() -> tuple[str, str]:
    """The state for a header."""
    now = session.current
    match now.state:
        case session.State.STARTING:
            return "Starting", "SORTTIME"
        case session.State.CANCELLING:
            return "Cancelling", "SORTTIME"
        case session.State.RUNNING:
            return ("Loading", "SORTTIME") if now.stage == "loading" else ("Busy", "PLAY")
        case session.State.ERROR:
            return "Failed", "ERROR"
        case session.State.READY:
            return "Ready", "CHECKMARK"
        case session.State.IDLE:
            if not preferences.is_python_set():
                return "Not Installed", "INFO"
            return ("Unloaded" if now.has_rested else "Not Running"), "PAUSE"


def sentence() -> str:
    """The state at length."""
    now = session.current
    match now.state:
        case session.State.STARTING:
            return "The backend is starting."
        case session.State.CANCELLING:
            return "The job is being cancelled."
        case session.State.RUNNING:
            return "The model is being loaded." if now.stage == "loading" else "A job is running."
        case session.State.ERROR:
            return f"The last job failed: {now.message}" if now.ready else f"The backend failed: {now.message}"
        case session.State.READY:
            loaded = ", ".join(now.status.loaded) if now.status else ""
            return f"Ready, with “{loaded}” loaded." if loaded else "Ready; the next job loads its model."
        case session.State.IDLE if now.has_rested:
            minutes = preferences.chosen().idle_minutes
            return f"Unloaded after {minutes} idle minutes. The next click starts it again."
        case session.State.IDLE if not preferences.is_python_set():
            return "Not installed yet. Click Install Backend in the preferences."
        case session.State.IDLE:
            return "Not running. The next click starts it."


def _is_loaded() -> bool:
    return bool(session.current.status and session.current.status.loaded)


BackendInViewport, BackendInSequencer = in_both_sidebars(BackendTab, "backend")

register, unregister = bpy.utils.register_classes_factory((UnloadModel, BackendInViewport, BackendInSequencer))
