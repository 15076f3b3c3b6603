# SPDX-License-Identifier: GPL-3.0-or-later
"""Many strips for many characters in one go: who speaks what, the button, and how far each is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Object, UILayout, UIList

from .. import casting, compat, fields, preferences, runner, session
from ..errors import BadInput, MouthpieceError
from ..wording import listed
from ..worklist import Fate
from . import properties
from .buttons import AtOnce, TakesTime
from .registration import registration
from .searches import can_speak, strip_names
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence

if TYPE_CHECKING:
    from ..choice import Choice

RULES = (
    ("name", "Strip Names", "The strip's name has the character's in it: “anna_012” is spoken by Anna"),
    ("channel", "Channel Names", "The strip's channel is named after the character"),
    ("list", "List", "As the list below says"),
)
ICONS = {
    Fate.WAITING: "TIME",
    Fate.RUNNING: "PLAY",
    Fate.DONE: "CHECKMARK",
    Fate.FAILED: "ERROR",
    Fate.CANCELLED: "X",
}
SHOWN = 8
"""Roles that are shown before they are begun."""


class RoleSettings(bpy.types.PropertyGroup):
    """One row of the list."""

    strip: fields.text("Strip", "The sound strip to speak", strip_names)
    character: bpy.props.PointerProperty(name="Character", description="Who speaks it", type=Object, poll=can_speak)


class QueueSettings(bpy.types.PropertyGroup):
    """One scene's cast."""

    rule: bpy.props.EnumProperty(name="Speakers By", description="What tells who speaks a strip", items=RULES)
    only_selected: bpy.props.BoolProperty(name="Selected Strips Only", description="Leave all other strips alone")
    roles: bpy.props.CollectionProperty(type=RoleSettings)
    active: bpy.props.IntProperty(name="Active Row")


def roles(context: Context) -> tuple[list[casting.Role], list[str]]:
    """Who speaks what, and the strips that nobody speaks."""
    chosen, scene = context.scene.mouthpiece_queue, compat.sequencer_scene(context)
    if chosen.rule != "list":
        return casting.cast_by(casting.Rule(chosen.rule), scene, only_selected=chosen.only_selected)
    rows = [casting.Role(row.strip, row.character.name) for row in chosen.roles if row.strip and row.character]
    return rows, [row.strip for row in chosen.roles if row.strip and not row.character]


def choices(context: Context) -> list[Choice]:
    """What a click on the button would do; raises `BadInput` where that is nothing."""
    found, _ = roles(context)
    if not found:
        raise BadInput("No strip has a speaker yet. Name strips or channels after characters, or use the list.")
    scene = compat.sequencer_scene(context).name
    how = properties.how(context)
    return [replace(how, scene=scene, strip=role.strip, character=role.character) for role in found]


class GenerateAll(TakesTime, bpy.types.Operator):
    """Let every character speak its strips, one after the other"""

    bl_idname = "mouthpiece.generate_all"
    bl_label = "Generate All"
    waits = True

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only where there is something to do, and all that it needs."""
        try:
            preferences.backend_python()
            choices(context)
        except MouthpieceError as problem:
            return str(problem)
        return ""

    def begin(self, context: Context) -> None:
        """Line them up."""
        runner.current.line_up(choices(context), preferences.launch())

    def tell(self) -> set[str]:
        """A line for each."""
        entries = runner.current.worklist.entries
        for entry in entries:
            kind = "INFO" if entry.fate is Fate.DONE else "WARNING"
            self.report({kind}, f"{entry.choice.title}: {entry.message}")
        return {"FINISHED"} if any(entry.fate is Fate.DONE for entry in entries) else {"CANCELLED"}


class AddRole(AtOnce, bpy.types.Operator):
    """Add the active strip and the active object to the list"""

    bl_idname = "mouthpiece.add_role"
    bl_label = "Add Row"
    bl_options = {"UNDO", "INTERNAL"}

    def act(self, context: Context) -> str:
        """A row with what is selected, or an empty one."""
        row = context.scene.mouthpiece_queue.roles.add()
        row.strip = properties.strip_name(context)
        row.character = bpy.data.objects.get(properties.character_name(context))
        context.scene.mouthpiece_queue.active = len(context.scene.mouthpiece_queue.roles) - 1
        return ""


class RemoveRole(AtOnce, bpy.types.Operator):
    """Take the active row out of the list"""

    bl_idname = "mouthpiece.remove_role"
    bl_label = "Remove Row"
    bl_options = {"UNDO", "INTERNAL"}

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only where there is one."""
        return "" if context.scene.mouthpiece_queue.roles else "The list is empty."

    def act(self, context: Context) -> str:
        """Remove it."""
        chosen = context.scene.mouthpiece_queue
        chosen.roles.remove(chosen.active)
        chosen.active = max(0, min(chosen.active, len(chosen.roles) - 1))
        return ""


class RoleList(UIList):
    """The rows: a strip and its speaker."""

    bl_idname = "MOUTHPIECE_UL_roles"

    def draw_item(
        self,
        _context: Context,
        layout: UILayout,
        _data: object,
        row: RoleSettings,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        """Both side by side."""
        split = layout.split(align=True)
        split.prop(row, "strip", text="", icon="SOUND", emboss=False)
        split.prop(row, "character", text="", emboss=False)


class QueueTab(Tab):
    """What both sidebars show."""

    bl_label = "Many Strips"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Who speaks what, the button, and how far each is."""
        layout, chosen = self.form(), context.scene.mouthpiece_queue
        column = layout.column()
        column.enabled = not runner.current.busy
        column.prop(chosen, "rule")
        if chosen.rule == "list":
            _draw_list(column, chosen)
        else:
            column.prop(chosen, "only_selected")
            _draw_roles(column, context)
        column.operator("mouthpiece.generate_all", icon="PLAY")
        _draw_entries(layout, context)


def _draw_list(layout: UILayout, chosen: QueueSettings) -> None:
    row = layout.row()
    row.template_list("MOUTHPIECE_UL_roles", "", chosen, "roles", chosen, "active", rows=3)
    buttons = row.column(align=True)
    buttons.operator("mouthpiece.add_role", text="", icon="ADD")
    buttons.operator("mouthpiece.remove_role", text="", icon="REMOVE")


def _draw_roles(layout: UILayout, context: Context) -> None:
    """Who would speak what, before anything is begun."""
    found, alone = roles(context)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for role in found[:SHOWN]:
        column.label(text=f"{role.strip}  →  {role.character}", icon="SOUND")
    if len(found) > SHOWN:
        column.label(text=f"and {len(found) - SHOWN} more", icon="BLANK1")
    if alone:
        draw_sentence(layout, context, f"Nobody speaks {listed(alone)}.", "INFO")


def _draw_entries(layout: UILayout, context: Context) -> None:
    """How far each is, and why one failed."""
    entries = runner.current.worklist.entries
    if not entries:
        return
    done = sum(entry.fate not in (Fate.WAITING, Fate.RUNNING) for entry in entries)
    row = layout.split(factor=0.72, align=True)
    part = (done + (session.current.fraction if session.current.busy else 0.0)) / len(entries)
    row.progress(factor=min(part, 1.0), type="BAR", text=f"{done} of {len(entries)}")
    row.operator("mouthpiece.cancel")
    box = layout.box().column(align=True)
    for entry in entries:
        box.label(text=f"{entry.choice.title}  →  {entry.choice.character}", icon=ICONS[entry.fate])
        if entry.fate is Fate.FAILED:
            draw_sentence(box, context, entry.message, "BLANK1")


QueueInViewport, QueueInSequencer = in_both_sidebars(QueueTab, "queue")


CLASSES = (RoleSettings, QueueSettings, GenerateAll, AddRole, RemoveRole, RoleList, QueueInViewport, QueueInSequencer)


register, unregister = registration(CLASSES, "mouthpiece_queue", QueueSettings)
