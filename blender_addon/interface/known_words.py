# SPDX-License-Identifier: GPL-3.0-or-later
"""Known words: the transcript, kept in the scene, and its sub-panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Text

from .. import fields, runner
from .registration import registration
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence

if TYPE_CHECKING:
    from ..choice import Choice

SOURCES = (
    ("none", "Unknown", "Nobody has written down what is spoken; the model listens alone"),
    ("typed", "Typed", "A line typed here"),
    ("block", "Text", "A text of Blender's Text Editor"),
    ("beside", "File", "The text file beside the sound: talk.txt beside talk.wav"),
)


class KnownWords(bpy.types.PropertyGroup):
    """One scene's transcript."""

    source: bpy.props.EnumProperty(
        name="Transcript", description="Where the spoken words are known from", items=SOURCES
    )
    typed: fields.text("Words", "Exactly what is spoken, in the order in which it is spoken")
    block: bpy.props.PointerProperty(name="Text", description="The text that holds what is spoken", type=Text)
    language: bpy.props.StringProperty(
        name="Language",
        description="Language of the words as espeak-ng names it, such as en, en-gb, de or pt-br. "
        "Without espeak-ng, English works by a pronunciation dictionary",
        default="en",
    )


def told(context: Context, choice: Choice) -> Choice:
    """The choice with the words that the scene knows."""
    words = context.scene.mouthpiece_words
    texts = {"typed": words.typed, "block": words.block.as_string() if words.block else ""}
    return replace(
        choice,
        transcript=texts.get(words.source, "").strip(),
        sidecar=words.source == "beside",
        language=words.language or "en",
    )


class KnownWordsTab(Tab):
    """What both sidebars show below the button."""

    bl_label = "Known Words"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Where the words come from, and what they are."""
        layout, words = self.form(), context.scene.mouthpiece_words
        layout.enabled = not runner.current.busy
        row = layout.row()
        row.use_property_split = False
        row.prop(words, "source", expand=True)
        if words.source == "none":
            return
        if words.source == "beside":
            draw_sentence(layout, context, "The words of talk.txt beside talk.wav, in UTF-8.", "FILE_TEXT")
        else:
            layout.prop(words, words.source)
        layout.prop(words, "language")


KnownWordsInViewport, KnownWordsInSequencer = in_both_sidebars(KnownWordsTab, "words")


CLASSES = (KnownWords, KnownWordsInViewport, KnownWordsInSequencer)


register, unregister = registration(CLASSES, "mouthpiece_words", KnownWords)
