# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound file that is spoken without a strip: laid out in a scene of its own, it is heard as a strip would be."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
from bpy.types import Scene

from . import audio, compat
from .audio import Mixdown, StripSound
from .errors import BadInput
from .wording import first_line


def listen(scene: Scene, path: str, first_frame: int) -> StripSound | Mixdown:
    """The whole file, beginning at a frame of the scene; a mixdown where only Blender reads its format.

    `path` may be relative to the .blend file. Raises `BadInput` where there is no such file or sound.
    """
    file = Path(bpy.path.abspath(path))
    if not file.is_file():
        raise BadInput(f"There is no sound file {file}. Choose another one.")
    fps = audio.frames_per_second(scene)
    lay_out = functools.partial(desk, scene.render.fps, scene.render.fps_base, file, first_frame)
    with lay_out(0) as laid:
        strip = audio.sound_strips(laid)[0]
        first, last = audio.frame_range(strip)
    if audio.is_plain(file):
        return StripSound(file, 0.0, first, last, fps)
    return Mixdown(lay_out, first, last, fps)


@contextmanager
def desk(fps: int, base: float, file: Path, first_frame: int, delay: int) -> Iterator[Scene]:
    """A scene of that frame rate with nothing but the file in it, so many frames later."""
    known = set(bpy.data.sounds)
    laid = bpy.data.scenes.new("Mouthpiece")
    try:
        laid.render.fps, laid.render.fps_base = fps, base
        strip = _strip(laid, file, first_frame + delay)
        if strip.sound.channels == "INVALID":
            raise BadInput(f"The sound file {file} is of no format that Blender can read. Convert it to wav or flac.")
        yield laid
    finally:
        compat.remove_scene(laid)
        for sound in set(bpy.data.sounds) - known:
            bpy.data.sounds.remove(sound)


def _strip(laid: Scene, file: Path, first_frame: int) -> bpy.types.SoundStrip:
    try:
        return compat.add_sound_strip(laid, file.stem, file, first_frame)
    except RuntimeError as problem:
        raise BadInput(f"Blender cannot read the sound file {file}: {first_line(problem)}.") from problem
