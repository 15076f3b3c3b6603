# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions of a character: properties of the object, so that the artist can key them over a shot as any other.

They lie on the object itself and in no group: library overrides of Blender 5.0 forget groups when a file is opened.
"""

from __future__ import annotations

import bpy
from bpy.types import Object, UILayout

from ..performing.sliders import EMOTIONS, property_of


def draw(layout: UILayout, character: Object, known: tuple[str, ...]) -> None:
    """A slider for each emotion that the model knows, with the dot that keys it."""
    column = layout.column(align=True)
    for name in EMOTIONS:
        if name in known:
            row = column.row(align=True)
            row.prop(character, property_of(name), slider=True)
            row.prop_decorator(character, property_of(name))


def register() -> None:
    """Give every object its emotions."""
    for name in EMOTIONS:
        weight = bpy.props.FloatProperty(
            name=name.title(),
            description="How much of it is felt; what all emotions leave to 1 is neutral. Key it to change with time",
            min=0.0,
            max=1.0,
            subtype="FACTOR",
            override={"LIBRARY_OVERRIDABLE"},
        )
        setattr(Object, property_of(name), weight)


def unregister() -> None:
    """Take them away."""
    for name in EMOTIONS:
        delattr(Object, property_of(name))
