# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording in whose style is spoken: a strip of the scene, just as it plays there, or a sound file."""

from __future__ import annotations

from bpy.types import Scene

from .. import audio, sound_file
from ..audio import Mixdown, StripSound


def listen(scene: Scene, name: str) -> StripSound | Mixdown:
    """The sound of the strip of that name, or else of that file; raises `BadInput` where there is neither."""
    if any(strip.name == name for strip in audio.sound_strips(scene)):
        return audio.listen(scene, audio.find_strip(scene, name))
    return sound_file.listen(scene, name, 1)
