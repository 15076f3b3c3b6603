# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab in the 3D viewport and in the Sequencer. It only reads and draws."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from .. import audio, compat, placing, preferences, runner, session
from ..errors import MouthpieceError
from ..rig import face
from . import demo_scene, linked, properties
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence

STAGES = {
    "starting": "Starting the backend",
    "mixing": "Mixing the strip down",
    "queued": "Waiting for the backend",
    "loading": "Loading the model",
    "listening": "Listening",
    "animating": "Animating",
    "writing": "Writing keys",
}
BUTTON_HEIGHT = 1.6


class LipSyncTab(Tab):
    """What both sidebars show."""

    bl_label = "Lip Sync"

    def draw(self, context: Context) -> None:
        """Choices, the button, and how things stand."""
        layout = self.form()
        choices = layout.column()
        choices.enabled = not runner.current.busy
        _draw_choices(choices, context)
        layout.separator()
        if runner.current.busy:
            _draw_progress(layout)
        else:
            _draw_button(layout, context)
            _draw_outcome(layout, context)


def _draw_choices(layout: UILayout, context: Context) -> None:
    chosen = properties.settings(context)
    strip, character = properties.strip_name(context), properties.character_name(context)
    layout.row().prop(chosen, "source", expand=True)
    if chosen.source == "file":
        layout.prop(chosen, "audio")
        layout.prop(chosen, "first_frame")
    else:
        row = layout.row(align=True)
        row.prop(chosen, "strip", icon="SOUND", placeholder=strip)
        row.operator("mouthpiece.add_sound", text="", icon="ADD")
        _draw_note(layout, _about_strip(context, strip), "TIME")
    layout.prop(chosen, "character", placeholder=character)
    _draw_note(layout, _about_face(character), "SHAPEKEY_DATA")
    linked.draw(layout, context)
    how = layout.column(align=True)
    how.prop(chosen, "model", placeholder=properties.DEFAULT_MODEL)
    how.prop(chosen, "style", placeholder="neutral")
    if len(properties.space_names(context)) > 1:
        how.prop(chosen, "space", placeholder="first")
    layout.prop(chosen, "strength", slider=True)
    layout.prop(chosen, "raw")


def _draw_note(layout: UILayout, text: str, icon: str) -> None:
    """A small line under a field."""
    if text:
        row = layout.split(factor=0.4)
        row.scale_y = 0.7
        row.label()
        row.label(text=text, icon=icon)


def _about_strip(context: Context, name: str) -> str:
    """Which frames will get keys."""
    try:
        first, last = audio.frame_range(audio.find_strip(compat.sequencer_scene(context), name))
    except MouthpieceError:
        return ""
    return f"Frames {first} to {last}"


def _about_face(name: str) -> str:
    """How much of the character's rig Mouthpiece knows."""
    character = bpy.data.objects.get(name)
    try:
        match = face.face_of(character).match if character else None
    except MouthpieceError:
        return ""
    return match.summary if match else ""


def _draw_progress(layout: UILayout) -> None:
    now = session.current
    stage = "Cancelling" if now.state is session.State.CANCELLING else STAGES.get(now.stage, now.stage)
    row = layout.split(factor=0.72, align=True)
    row.scale_y = BUTTON_HEIGHT
    row.progress(factor=now.fraction, type="BAR", text=f"{stage}  {now.fraction:.0%}" if now.fraction else f"{stage} …")
    row.operator("mouthpiece.cancel")


def _draw_button(layout: UILayout, context: Context) -> None:
    row = layout.row(align=True)
    row.scale_y = BUTTON_HEIGHT
    row.operator("mouthpiece.generate", icon="PLAY")
    row.operator("mouthpiece.apply_last", text="", icon="FILE_REFRESH")
    row.operator("mouthpiece.export_motion", text="", icon="EXPORT")
    reason = properties.why_not(context)
    if reason:
        draw_sentence(layout, context, reason, "INFO")
        if not preferences.is_python_set():
            layout.operator("mouthpiece.open_preferences", icon="PREFERENCES")
        demo_scene.draw(layout, context)


def _draw_outcome(layout: UILayout, context: Context) -> None:
    now, report = session.current, runner.current.report
    if now.failure:
        box = layout.box()
        draw_sentence(box, context, str(now.failure), "ERROR")
        for line in now.log_lines[-3:]:
            box.label(text=line)
        if now.log_file:
            box.operator("mouthpiece.open_log", icon="TEXT")
    elif report:
        _draw_report(layout.box(), context, report)
    elif now.message:
        draw_sentence(layout, context, now.message, "INFO")


def _draw_report(layout: UILayout, context: Context, report: placing.Report) -> None:
    draw_sentence(layout, context, report.sentence, "CHECKMARK")
    for warning in report.warnings:
        draw_sentence(layout, context, warning, "ERROR")
    for name in report.moved:
        draw_sentence(layout, context, f"“{name}” now plays from an NLA track.", "NLA")
    if report.missing:
        sentence = f"It speaks without {', '.join(report.missing)}: the character has none."
        draw_sentence(layout, context, sentence, "INFO")


LipSyncInViewport, LipSyncInSequencer = in_both_sidebars(LipSyncTab)


register, unregister = bpy.utils.register_classes_factory((LipSyncInViewport, LipSyncInSequencer))
