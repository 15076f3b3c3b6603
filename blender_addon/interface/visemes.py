# SPDX-License-Identifier: GPL-3.0-or-later
"""Visemes: the phones of the last result in a list, with a strength for each that the artist raises or lowers."""

from __future__ import annotations

from dataclasses import replace

import bpy
from bpy.types import Context, UILayout

from .. import fields, runner
from ..errors import BadInput
from . import properties
from .buttons import AtOnce, TakesTime
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence
from .viseme_list import (
    NOTHING_KEPT,
    PhoneButton,
    VisemeRow,
    VisemeSettings,
    fill,
    is_listed,
    is_written,
    kept,
    last_result,
    listed,
    passes,
    phones_of,
)


class ListVisemes(PhoneButton, AtOnce, bpy.types.Operator):
    """List the phones of the last result of this strip"""

    bl_idname = "mouthpiece.list_visemes"
    bl_label = "List Phones"
    bl_options = {"UNDO"}

    def act(self, context: Context) -> str:
        """Fill the list."""
        result = last_result(context)
        fill(context.scene.mouthpiece_visemes, result.choice.title, phones_of(result))
        return ""


class SetVisemes(AtOnce, bpy.types.Operator):
    """Give all phones that are listed now the same strength"""

    bl_idname = "mouthpiece.set_visemes"
    bl_label = "Set All Shown"
    bl_options = {"REGISTER", "UNDO"}

    strength: fields.strength("Strength", "How strong all phones that are listed become")

    def act(self, context: Context) -> str:
        """Set them."""
        settings = context.scene.mouthpiece_visemes
        for row in settings.rows:
            if passes(row, settings.show):
                row.strength = self.strength
        return ""


class ApplyVisemes(PhoneButton, TakesTime, bpy.types.Operator):
    """Write the keys again with each phone as strong as the list says; the model is not run"""

    bl_idname = "mouthpiece.apply_visemes"
    bl_label = "Apply Strengths"

    def begin(self, context: Context) -> None:
        """Write the last motion anew."""
        settings = context.scene.mouthpiece_visemes
        if not is_listed(settings, last_result(context)):
            raise BadInput("The list is not that of this strip's last result. Click List Phones first.")
        runner.current.begin_again(replace(properties.choice(context), visemes=listed(settings)))


class VisemeList(bpy.types.UIList):
    """Time, phone and strength; pauses are left out."""

    bl_idname = "MOUTHPIECE_UL_visemes"

    def draw_item(
        self,
        _context: Context,
        layout: UILayout,
        _data: VisemeSettings,
        row: VisemeRow,
        _icon: int,
        _active_data: VisemeSettings,
        _active_property: str,
    ) -> None:
        """One phone."""
        line = layout.split(factor=0.45, align=True)
        about = line.split(factor=0.55)
        about.label(text=f"{row.start:.2f} s")
        about.label(text=row.name)
        line.prop(row, "strength", text="", slider=True)

    def filter_items(self, _context: Context, settings: VisemeSettings, _property: str) -> tuple[list[int], list[int]]:
        """What the artist wants to see."""
        wanted = self.filter_name.strip().lower()
        return [
            self.bitflag_filter_item if passes(row, settings.show) and wanted in row.name.lower() else 0
            for row in settings.rows
        ], []


class VisemesTab(Tab):
    """What both sidebars show below the button."""

    bl_label = "Visemes"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """The list and what can be done with it."""
        layout, settings, result = self.layout, context.scene.mouthpiece_visemes, kept(context)
        layout.enabled = not runner.current.busy
        if result is None or not result.motion.phones:
            draw_sentence(layout, context, NOTHING_KEPT, "INFO")
        elif not is_listed(settings, result):
            layout.operator("mouthpiece.list_visemes", icon="PRESET")
        else:
            _draw_list(layout, settings)
            if not is_written(settings, result):
                draw_sentence(layout, context, "These strengths are not in the keys yet: Apply Strengths.", "INFO")
        row = layout.row(align=True)
        row.operator("mouthpiece.show_phone_markers", text="Show Markers", icon="MARKER_HLT")
        row.operator("mouthpiece.remove_phone_markers", text="", icon="X")
        row = layout.row(align=True)
        row.operator("mouthpiece.export_phones", icon="EXPORT")
        row.operator("mouthpiece.import_visemes", icon="IMPORT")


def _draw_list(layout: UILayout, settings: VisemeSettings) -> None:
    layout.prop(settings, "show", text="")
    layout.template_list(VisemeList.bl_idname, "", settings, "rows", settings, "active", rows=6)
    row = layout.row(align=True)
    row.operator("mouthpiece.apply_visemes", icon="CHECKMARK")
    row.operator("mouthpiece.set_visemes", text="", icon="MODIFIER_ON")
    row.operator("mouthpiece.list_visemes", text="", icon="LOOP_BACK")


VisemesInViewport, VisemesInSequencer = in_both_sidebars(VisemesTab, "visemes")


register, unregister = bpy.utils.register_classes_factory(
    (VisemeList, ListVisemes, SetVisemes, ApplyVisemes, VisemesInViewport, VisemesInSequencer)
)
