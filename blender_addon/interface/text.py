# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in a sidebar."""

from __future__ import annotations

from bpy.types import Context, UILayout

LETTER_PIXELS = 6.4
"""Mean width of a letter at a resolution scale of 1."""


def draw_sentence(layout: UILayout, context: Context, sentence: str, icon: str) -> None:
    """A sentence on as many lines as the sidebar needs; Blender's labels do not wrap."""
    import textwrap  # here and not at the top: Blender would start later for it

    pixels = context.region.width - 90 * context.preferences.system.ui_scale
    letters = max(16, int(pixels / (LETTER_PIXELS * context.preferences.system.ui_scale)))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(sentence, letters)):
        column.label(text=line, icon="BLANK1" if number else icon)
