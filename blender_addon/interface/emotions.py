# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions of a character: kept in the object, so that the artist can key them over a shot as any other property."""

from __future__ import annotations

import bpy
from bpy.types import UILayout

from ..performing.emotions import EMOTIONS, PROPERTY
from .registration import LIBRARY_OVERRIDABLE, registration


def _weight(name: str) -> object:
    return bpy.props.FloatProperty(
        name=name.title(),
        description="How much of it is felt; what all emotions leave to 1 is neutral. Key it to change along the shot",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        override=LIBRARY_OVERRIDABLE,
    )


class EmotionSettings(bpy.types.PropertyGroup):
    """What one character feels."""

    happy: _weight("happy")
    sad: _weight("sad")
    angry: _weight("angry")
    surprised: _weight("surprised")
    afraid: _weight("afraid")
    disgusted: _weight("disgusted")


def draw(layout: UILayout, character: bpy.types.Object, known: tuple[str, ...]) -> None:
    """A slider for each emotion that the model knows, with the dot that keys it."""
    names = [name for name in EMOTIONS if name in known]
    settings, column = getattr(character, PROPERTY), layout.column(align=True)
    for name in names:
        row = column.row(align=True)
        row.prop(settings, name, slider=True)
        row.prop_decorator(settings, name)


register, unregister = registration((EmotionSettings,), PROPERTY, EmotionSettings, bpy.types.Object)
