# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of the chosen strip and character: flip through them, and keep one."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from ...backend import protocol
from .. import runner
from ..errors import BadInput
from ..writing import takes
from . import properties
from .buttons import AtOnce
from .sidebar import Tab, in_both_sidebars

NONE = "This strip has but one take. Ask for more under Performance, or keep the earlier result under Keys."


def _spoken(context: Context) -> tuple[str, str]:
    """Title of what is spoken, and who speaks; raises `BadInput` where that is not chosen."""
    chosen = properties.choice(context)
    return chosen.title, chosen.character


def listed(context: Context) -> list[takes.Listed]:
    """The takes that can be chosen from; none where there is but one."""
    try:
        found = takes.recorded(*_spoken(context))
    except BadInput:
        return []
    return found if len(found) > 1 else []


class TakeButton(AtOnce):
    """What these buttons need: takes, and nothing at work on them."""

    waits = True

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only with takes."""
        return "" if listed(context) else NONE


class ShowTake(TakeButton, bpy.types.Operator):
    """Let this take play on the character, instead of the one that does now"""

    bl_idname = "mouthpiece.show_take"
    bl_label = "Show Take"
    bl_options = {"UNDO"}

    number: bpy.props.IntProperty(name="Take", default=1, min=1)

    def act(self, context: Context) -> str:
        """Exchange them on everything that moves the character."""
        takes.show(*_spoken(context), self.number)
        return f"Take {self.number}"


class FlipTake(TakeButton, bpy.types.Operator):
    """Let the next or the previous take play"""

    bl_idname = "mouthpiece.flip_take"
    bl_label = "Flip Take"
    bl_options = {"UNDO"}

    way: bpy.props.EnumProperty(
        name="Way", items=(("next", "Next", "The next take"), ("previous", "Previous", "The previous take"))
    )

    def act(self, context: Context) -> str:
        """Exchange them; behind the last one comes the first."""
        there = listed(context)
        now = next((place for place, one in enumerate(there) if one.plays), 0)
        chosen = there[(now + (1 if self.way == "next" else -1)) % len(there)]
        takes.show(*_spoken(context), chosen.record.take)
        return f"Take {chosen.record.take}"


class KeepTake(TakeButton, bpy.types.Operator):
    """Keep the take that plays and remove the others; nothing of yours changes"""

    bl_idname = "mouthpiece.keep_take"
    bl_label = "Keep This Take"
    bl_options = {"UNDO"}

    def act(self, context: Context) -> str:
        """Remove those that wait."""
        count = takes.keep(*_spoken(context))
        return f"{count} other {'take was' if count == 1 else 'takes were'} removed"


class TakesTab(Tab):
    """What both sidebars show below the button where there is something to choose from."""

    bl_label = "Takes"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where the chosen strip has takes on the chosen character."""
        return bool(listed(context))

    def draw(self, context: Context) -> None:
        """A row for each take, and the buttons."""
        layout, there = self.layout, listed(context)
        layout.enabled = not runner.current.busy
        flips = layout.row(align=True)
        flips.operator(FlipTake.bl_idname, text="Previous", icon="TRIA_LEFT").way = "previous"
        flips.operator(FlipTake.bl_idname, text="Next", icon="TRIA_RIGHT").way = "next"
        rows = layout.box().column(align=True)
        for one in there:
            _draw_take(rows, one)
        layout.operator(KeepTake.bl_idname, icon="CHECKMARK")


def _draw_take(layout: UILayout, one: takes.Listed) -> None:
    """A radio button with what tells the take from the others."""
    record = one.record
    about = [record.model, *(["seed " + str(record.seed)] if record.seed is not None else [])]
    if record.identity != properties.PIVOT:
        about.append(protocol.label(record.identity))
    row = layout.row(align=True)
    row.alignment = "LEFT"
    icon = "RADIOBUT_ON" if one.plays else "RADIOBUT_OFF"
    text = f"{record.take}   {', '.join(about)}"
    row.operator(ShowTake.bl_idname, text=text, icon=icon, emboss=False).number = record.take


TakesInViewport, TakesInSequencer = in_both_sidebars(TakesTab, "takes")

CLASSES = (ShowTake, FlipTake, KeepTake, TakesInViewport, TakesInSequencer)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
