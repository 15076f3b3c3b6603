# SPDX-License-Identifier: GPL-3.0-or-later
"""Who speaks which strip: found by the strips' names or by those of their channels."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.types import Scene

from . import audio, lookup
from .errors import BadInput
from .rig.face import face_of

if TYPE_CHECKING:
    from bpy.types import SoundStrip

_WORD = re.compile(r"[^\W\d_]+|\d+")


class Rule(enum.StrEnum):
    """What tells the character of a strip."""

    NAME = "name"
    """The strip's name has the character's in it: “anna_012” is spoken by Anna."""
    CHANNEL = "channel"
    """The strip's channel is named after the character; so is that of the meta strip around it."""


@dataclass(frozen=True)
class Role:
    """One strip, and who speaks it."""

    strip: str
    character: str


def cast_by(rule: Rule, scene: Scene, *, only_selected: bool = False) -> tuple[list[Role], list[str]]:
    """The roles of a scene's audible sound strips in the order in which they sound, and the strips without speaker.

    The characters may be in other scenes.
    """
    asked = [strip for strip in audio.sound_strips(scene) if strip.select or not only_selected]
    heard = [strip for strip in asked if not audio.is_muted(scene, strip)]
    heard.sort(key=lambda strip: (strip.frame_final_start, strip.channel))
    near, far = ({one.name: _spaced(one.name) for one in things} for things in lookup.actors(scene))
    texts = {strip.name: _texts(rule, scene, strip) for strip in heard}
    found = {strip: _speaker(read, near) or _speaker(read, far) for strip, read in texts.items()}
    roles = [Role(strip, speaker) for strip, speaker in found.items() if speaker]
    return roles, [strip for strip, speaker in found.items() if not speaker]


def _can_speak(name: str) -> bool:
    try:
        face_of(bpy.data.objects[name])
    except BadInput:
        return False
    return True


def _texts(rule: Rule, scene: Scene, strip: SoundStrip) -> list[str]:
    """What may hold the character's name, the nearest first."""
    if rule is Rule.NAME:
        return [strip.name]
    texts = []
    around = strip
    while around is not None:
        meta = around.parent_meta()
        texts.append((meta or scene.sequence_editor).channels[around.channel].name)
        around = meta
    return texts


def _speaker(texts: Sequence[str], names: Mapping[str, str]) -> str:
    """The character whose whole name is in a text; of several the longest, as “Old Anna” is not Anna.

    `names`: the objects' names with their `_spaced` spelling. Only those that are named are asked for a face.
    """
    for text in texts:
        words = _spaced(text)
        named = [name for name, spaced in names.items() if spaced.strip() and spaced in words]
        for name in sorted(named, key=len, reverse=True):
            if _can_speak(name):
                return name
    return ""


def _spaced(name: str) -> str:
    """A name's words and numbers in one spelling, each with a space at both sides."""
    words = _WORD.findall(name.casefold())
    return f" {' '.join(words)} "
