# SPDX-License-Identifier: GPL-3.0-or-later
"""The datablocks that a choice names; they are good until the artist's next step."""

from __future__ import annotations

import bpy
from bpy.types import Object, Scene

from . import audio, compat
from .errors import BadInput


def scene_named(name: str) -> Scene:
    """Raises `BadInput` where there is none."""
    scene = bpy.data.scenes.get(name)
    if scene is None:
        raise BadInput(f"There is no scene named “{name}”. Choose another one.")
    return scene


def scene_with(strip: str, name: str = "") -> Scene:
    """The scene with that sound strip, or with any where none is named; raises `BadInput` where several are meant.

    The named scene, else the one that is shown, else the only other one: since Blender 5.0 strips often lie in a scene
    of their own, and a file that is opened without its windows does not tell which.
    """
    if name:
        return scene_named(name)
    shown = dict.fromkeys((compat.sequencer_scene(bpy.context), bpy.context.scene))
    having = [scene for scene in bpy.data.scenes if _has(scene, strip)]
    if len(having) > 1 and not shown.keys() & {*having}:
        what = f"a sound strip named “{strip}”" if strip else "sound strips"
        names = ", ".join(scene.name for scene in having)
        raise BadInput(f"More than one scene has {what}: {names}. Name one with --scene.")
    return next((scene for scene in (*shown, *having) if scene in having), next(iter(shown)))


def actors(scene: Scene) -> tuple[list[Object], list[Object]]:
    """Objects that may speak a scene's strips: its own and those of the viewport's scene, and those of other scenes."""
    near = dict.fromkeys((*bpy.context.scene.objects, *scene.objects))
    all_there = dict.fromkeys(thing for one in bpy.data.scenes for thing in one.objects)
    return [*near], [thing for thing in all_there if thing not in near]


def character_named(name: str) -> Object:
    """Raises `BadInput` where there is none, or where it was deleted and only a choice keeps it in the file."""
    character = bpy.data.objects.get(name)
    if character is None:
        raise BadInput(f"There is no object named “{name}”. Choose another character.")
    if not character.users_collection:
        raise BadInput(f"“{name}” is no longer in the scene. Choose another character.")
    return character


def _has(scene: Scene, strip: str) -> bool:
    names = [one.name for one in audio.sound_strips(scene)]
    return strip in names if strip else bool(names)
