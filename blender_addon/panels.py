# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab in the 3D viewport and in the Sequencer. It only reads and draws."""

from __future__ import annotations

import textwrap

import bpy
from bpy.types import Context, UILayout

from . import preferences, properties, runner, session
from .errors import MouthpieceError
from .job import Report, face_of

STAGES = {
    "starting": "Starting the backend",
    "mixing": "Mixing the strip down",
    "queued": "Waiting for the backend",
    "loading": "Loading the model",
    "listening": "Listening",
    "animating": "Animating",
    "writing": "Writing keys",
}
LETTER_PIXELS = 6.4
"""Mean width of a letter at a resolution scale of 1."""


class LipSyncTab:
    """What both sidebars show."""

    bl_label = "Lip Sync"
    bl_category = "Mouthpiece"
    bl_region_type = "UI"

    def draw(self, context: Context) -> None:
        """Choices, the button, and how things stand."""
        layout: UILayout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        choices = layout.column()
        choices.enabled = not session.current.busy
        _draw_choices(choices, context)
        layout.separator()
        if session.current.busy:
            _draw_progress(layout)
        else:
            _draw_button(layout, context)
            _draw_outcome(layout, context)


def _draw_choices(layout: UILayout, context: Context) -> None:
    chosen = properties.settings(context)
    strip, character = properties.strip_name(context), properties.character_name(context)
    who = layout.column(align=True)
    who.prop(chosen, "strip", icon="SOUND", placeholder=strip)
    who.prop(chosen, "character", placeholder=character)
    _draw_face(who, character)
    how = layout.column(align=True)
    how.prop(chosen, "model")
    how.prop(chosen, "style")
    if session.current.ready and len(properties.space_names(context)) > 1:
        how.prop(chosen, "space")
    layout.prop(chosen, "strength", slider=True)


def _draw_face(layout: UILayout, character: str) -> None:
    """How much of the character's rig Mouthpiece knows."""
    thing = bpy.data.objects.get(character)
    if thing is None or not getattr(thing.data, "shape_keys", None):
        return
    try:
        match = face_of(thing).match
    except MouthpieceError:
        return
    count = f"{len(match.found)} of {len(match.profile.shape_keys)} {match.profile.title} shape keys"
    row = layout.split(factor=0.4)
    row.label()
    row.label(text=count, icon="SHAPEKEY_DATA")


def _draw_progress(layout: UILayout) -> None:
    now = session.current
    stage = "Cancelling" if now.state is session.State.CANCELLING else STAGES.get(now.stage, now.stage)
    row = layout.row(align=True)
    row.scale_y = 1.6
    row.progress(factor=now.fraction, type="BAR", text=f"{stage}  {now.fraction:.0%}" if now.fraction else f"{stage} …")
    row.operator("mouthpiece.cancel", text="", icon="X")


def _draw_button(layout: UILayout, context: Context) -> None:
    row = layout.row()
    row.scale_y = 1.6
    row.operator("mouthpiece.generate", icon="PLAY")
    reason = properties.why_not(context)
    if reason:
        _draw_sentence(layout, context, reason, "INFO")
        if not preferences.is_python_set():
            layout.operator("mouthpiece.open_preferences", icon="PREFERENCES")


def _draw_outcome(layout: UILayout, context: Context) -> None:
    now, report = session.current, runner.current.report
    if now.failure:
        box = layout.box()
        _draw_sentence(box, context, str(now.failure), "ERROR")
        for line in now.log_lines[-3:]:
            box.label(text=line)
        if now.log_file:
            box.operator("mouthpiece.open_log", icon="TEXT")
    elif report:
        _draw_report(layout.box(), context, report)
    elif now.message:
        _draw_sentence(layout, context, now.message, "INFO")


def _draw_report(layout: UILayout, context: Context, report: Report) -> None:
    _draw_sentence(layout, context, report.sentence, "CHECKMARK")
    for warning in report.warnings:
        _draw_sentence(layout, context, warning, "ERROR")
    for name in report.moved:
        _draw_sentence(layout, context, f"“{name}” now plays from an NLA track.", "NLA")
    if report.missing:
        _draw_sentence(layout, context, f"The character has no {', '.join(report.missing)}.", "INFO")


def _draw_sentence(layout: UILayout, context: Context, sentence: str, icon: str) -> None:
    """A sentence on as many lines as the sidebar needs; Blender's labels do not wrap."""
    pixels = context.region.width - 90 * context.preferences.system.ui_scale
    letters = max(16, int(pixels / (LETTER_PIXELS * context.preferences.system.ui_scale)))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(sentence, letters)):
        column.label(text=line, icon="BLANK1" if number else icon)


class LipSyncInViewport(LipSyncTab, bpy.types.Panel):
    """In the sidebar of the 3D viewport."""

    bl_idname = "VIEW3D_PT_mouthpiece"
    bl_space_type = "VIEW_3D"


class LipSyncInSequencer(LipSyncTab, bpy.types.Panel):
    """In the sidebar of the Sequencer."""

    bl_idname = "SEQUENCER_PT_mouthpiece"
    bl_space_type = "SEQUENCE_EDITOR"


register, unregister = bpy.utils.register_classes_factory((LipSyncInViewport, LipSyncInSequencer))
