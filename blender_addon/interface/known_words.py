# SPDX-License-Identifier: GPL-3.0-or-later
"""Known words: the transcript, kept in the scene, and its sub-panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Text

from .. import runner
from ..job import Choice
from .text import draw_sentence

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
    typed: bpy.props.StringProperty(
        name="Words", description="Exactly what is spoken, in the order in which it is spoken"
    )
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


class KnownWordsTab:
    """What both sidebars show below the button."""

    bl_label = "Known Words"
    bl_category = "Mouthpiece"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender reads a set here)

    if TYPE_CHECKING:
        layout: bpy.types.UILayout

    def draw(self, context: Context) -> None:
        """Where the words come from, and what they are."""
        layout, words = self.layout, context.scene.mouthpiece_words
        layout.use_property_split = True
        layout.use_property_decorate = False
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


class KnownWordsInViewport(KnownWordsTab, bpy.types.Panel):
    """In the sidebar of the 3D viewport."""

    bl_idname = "VIEW3D_PT_mouthpiece_words"
    bl_parent_id = "VIEW3D_PT_mouthpiece"
    bl_space_type = "VIEW_3D"


class KnownWordsInSequencer(KnownWordsTab, bpy.types.Panel):
    """In the sidebar of the Sequencer."""

    bl_idname = "SEQUENCER_PT_mouthpiece_words"
    bl_parent_id = "SEQUENCER_PT_mouthpiece"
    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (KnownWords, KnownWordsInViewport, KnownWordsInSequencer)


def register() -> None:
    """Give every scene its transcript, and both sidebars the sub-panel."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.types.Scene.mouthpiece_words = bpy.props.PointerProperty(type=KnownWords)


def unregister() -> None:
    """Take them away."""
    del bpy.types.Scene.mouthpiece_words
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
