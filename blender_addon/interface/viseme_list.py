# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of phones that the scene keeps: what a row is, what it is filled from, and which rows are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
from bpy.types import Context

from .. import compat, fields, phones, placing, runner
from ..errors import BadInput
from . import properties
from .buttons import Button
from .registration import registration

GROUPS = {
    "lips": frozenset({"pb", "m"}),
    "teeth": frozenset({"fv", "th"}),
    "round": frozenset({"w", "r", "sh", "AO", "OW", "UH", "UW", "UE", "ER"}),
    "vowels": frozenset({"IY", "IH", "EH", "AE", "AA", "AH", "AO", "OW", "UH", "UW", "ER", "UE"}),
}
SHOWN = (
    ("all", "All", "Every phone"),
    ("lips", "P B M", "Where the lips meet"),
    ("teeth", "F V Th", "Where teeth touch lip or tongue"),
    ("round", "Round", "Where the lips are rounded"),
    ("vowels", "Vowels", "Where the mouth opens"),
    ("changed", "Edited", "Phones with another strength than 1"),
)
SAME = 1e-4
"""How far two strengths may be apart that are the same."""
SAME_SECONDS = 1e-3
"""How far two beginnings of a phone may be apart that are the same."""
NOTHING_KEPT = "Generate this strip first; its phones are kept while the file is open."


def _go_there(settings: VisemeSettings, context: Context) -> None:
    """The playhead follows the chosen row."""
    result = kept(context)
    if result and settings.active < len(settings.rows):
        scene = compat.sequencer_scene(context)
        scene.frame_set(result.first_frame + round(settings.rows[settings.active].start * result.fps))


class VisemeRow(bpy.types.PropertyGroup):
    """One phone; its name is what the row is called."""

    viseme: bpy.props.StringProperty()
    start: bpy.props.FloatProperty()
    end: bpy.props.FloatProperty()
    strength: fields.strength(
        "Strength", "How much of this phone's mouth shape is written; for p, b and m how firmly the lips meet"
    )


class VisemeSettings(bpy.types.PropertyGroup):
    """One scene's list."""

    title: bpy.props.StringProperty()
    rows: bpy.props.CollectionProperty(type=VisemeRow)
    active: bpy.props.IntProperty(update=_go_there)
    show: bpy.props.EnumProperty(name="Show", description="Which phones are listed", items=SHOWN)


def listed(settings: VisemeSettings) -> tuple[phones.Phone, ...]:
    """The rows as phones with their strengths."""
    return tuple(
        phones.Phone(row.name, row.viseme, round(row.start, 4), round(row.end, 4), round(row.strength, 4))
        for row in settings.rows
    )


def fill(settings: VisemeSettings, title: str, spoken: tuple[phones.Phone, ...]) -> None:
    """Show these phones, whatever was shown before."""
    settings.title = title
    settings.rows.clear()
    for phone in spoken:
        row = settings.rows.add()
        row.name, row.viseme, row.strength = phone.name, phone.viseme, phone.strength
        row.start, row.end = phone.start, phone.end


def kept(context: Context) -> placing.Performance | None:
    """The last result of what is chosen to be spoken, if there is one."""
    return runner.current.performances.get(properties.spoken(context))


def last_result(context: Context) -> placing.Performance:
    """The last result of what is chosen to be spoken; raises `BadInput` where there is none."""
    result = kept(context)
    if result is None:
        raise BadInput(NOTHING_KEPT)
    return result


def phones_of(result: placing.Performance) -> tuple[phones.Phone, ...]:
    """The phones of a result with the strengths that it was written with."""
    return result.choice.visemes or result.motion.phones


def is_listed(settings: VisemeSettings, result: placing.Performance) -> bool:
    """Whether the list shows the phones of a result."""
    return settings.title == result.choice.title and are_of(result, list(settings.rows))


def are_of(result: placing.Performance, spoken: Sequence[phones.Phone | VisemeRow]) -> bool:
    """Whether phones or rows are those of a result, whatever their strengths: one by one, and at the same times.

    Blender keeps the first seven digits of a row's.
    """
    heard = result.motion.phones
    return len(spoken) == len(heard) and all(
        one.viseme == phone.viseme and math.isclose(one.start, phone.start, rel_tol=1e-6, abs_tol=SAME_SECONDS)
        for one, phone in zip(spoken, heard, strict=True)
    )


def is_written(settings: VisemeSettings, result: placing.Performance) -> bool:
    """Whether the keys have the strengths that the list shows."""
    written = (phone.strength for phone in phones_of(result))
    return all(abs(row.strength - strength) < SAME for row, strength in zip(settings.rows, written, strict=True))


class PhoneButton(Button):
    """What all these buttons need: a result that is kept, with phones."""

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only with phones, and not in the middle of a job."""
        result = None if runner.current.busy else kept(context)
        return "" if result and result.motion.phones else NOTHING_KEPT


def passes(row: VisemeRow, show: str) -> bool:
    """Whether a row is among those to `show`; pauses never are."""
    if row.viseme == phones.PAUSE:
        return False
    if show == "changed":
        return abs(row.strength - 1.0) > SAME
    return show == "all" or row.viseme in GROUPS[show]


CLASSES = (VisemeRow, VisemeSettings)


register, unregister = registration(CLASSES, "mouthpiece_visemes", VisemeSettings)
