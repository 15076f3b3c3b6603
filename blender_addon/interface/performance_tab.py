# SPDX-License-Identifier: GPL-3.0-or-later
"""The sub-panel of a model that denoises: it shows what that model can be asked for."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from ...backend import protocol
from .. import request, session
from . import emotions, models, properties
from .performance import NewSeed, PerformanceSettings
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence


def _model(context: Context) -> protocol.ModelInfo | None:
    """What is known of the chosen model: nothing before the backend has been started."""
    return request.model_of(session.current.models, properties.settings(context).model or properties.DEFAULT_MODEL)


class PerformanceTab(Tab):
    """What both sidebars show below the button."""

    bl_label = "Performance"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Not for a model that is known to have but one answer, by the backend or by its file."""
        if model := _model(context):
            return model.steps > 0
        file = models.current.file(properties.settings(context).model or properties.DEFAULT_MODEL)
        return file is None or file.has_takes

    def draw(self, context: Context) -> None:
        """What the model can do, or how to find that out."""
        layout, model = self.form(), _model(context)
        layout.enabled = not session.current.busy
        if model is None:
            draw_sentence(layout, context, "Takes and styles: the backend tells which models have them.", "INFO")
            layout.operator("mouthpiece.check_backend", icon="CHECKMARK")
            return
        chosen = context.scene.mouthpiece_performance
        _draw_takes(layout, chosen, model)
        _draw_style(layout, chosen)
        character = bpy.data.objects.get(properties.character_name(context))
        if character:
            emotions.draw(layout, character, model.emotions)


def _draw_takes(layout: UILayout, chosen: PerformanceSettings, model: protocol.ModelInfo) -> None:
    column = layout.column(align=True)
    column.prop(chosen, "takes")
    row = column.row(align=True)
    row.prop(chosen, "seed")
    row.operator(NewSeed.bl_idname, text="", icon="FILE_REFRESH")
    column.prop(chosen, "steps", text="Steps" if chosen.steps else f"Steps (0 = {model.steps})")
    column.prop(chosen, "guidance")


def _draw_style(layout: UILayout, chosen: PerformanceSettings) -> None:
    column = layout.column(align=True)
    column.prop(chosen, "style")
    if chosen.style == "strip":
        column.prop(chosen, "style_strip", icon="SOUND")
    elif chosen.style == "file":
        column.prop(chosen, "style_file")
    if chosen.style != "identity":
        column.prop(chosen, "style_as")


PerformanceInViewport, PerformanceInSequencer = in_both_sidebars(PerformanceTab, "performance")

register, unregister = bpy.utils.register_classes_factory((PerformanceInViewport, PerformanceInSequencer))
