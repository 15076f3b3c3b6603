# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo scene: head, camera, lights and a spoken line, ready for a click on Generate Lip Sync."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context, Object, Scene
from mathutils import Vector

from . import compat, demo_head
from .errors import MouthpieceError
from .wording import first_line

LINE = Path(__file__).parents[1] / "demo" / "speech" / "demo.flac"
NAME = "Lip Sync Demo"
FRAMES_PER_SECOND = 24
FIRST_FRAME = 7
"""Of the line: a moment of a face at rest before it speaks."""
FACE = Vector((0.0, -0.05, 0.215))
"""What camera and lights look at, in metres from the head's origin."""
LIGHTS = (("Key", (-0.5, -0.8, 0.3), 40.0), ("Fill", (0.5, -0.85, -0.1), 12.0), ("Rim", (0.4, 0.7, 0.5), 10.0))
"""Name, place as seen from the face, watts."""


def build(context: Context) -> Scene:
    """A new scene with everything in it and chosen in it; the other scenes stay as they are.

    Raises `MouthpieceError` where this Blender cannot play sound.
    """
    scene = bpy.data.scenes.new(NAME)
    scene.render.fps, scene.render.fps_base = FRAMES_PER_SECOND, 1.0
    try:
        strip = compat.add_sound_strip(scene, "Hello", LINE, FIRST_FRAME)
    except RuntimeError as problem:
        compat.remove_scene(scene)
        raise MouthpieceError(f"The demo's line cannot be put into the Sequencer: {first_line(problem)}.") from problem
    strip.sound.pack()  # so that a saved file does not lean on the add-on's folder
    scene.sequence_editor.active_strip = strip
    scene.frame_end, scene.sync_mode = strip.frame_final_end, "AUDIO_SYNC"
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0], collection=scene.collection):
        head = demo_head.build(context)
    head.select_set(False, view_layer=scene.view_layers[0])  # an outline would hide what the face does
    scene.mouthpiece.strip, scene.mouthpiece.character = strip.name, head
    scene.mouthpiece_writing.add_blinks = scene.mouthpiece_writing.add_darts = True
    _set_up_studio(scene)
    return scene


def _set_up_studio(scene: Scene) -> None:
    camera = bpy.data.cameras.new("Portrait")
    camera.lens = 85.0
    scene.camera = _placed(scene, bpy.data.objects.new("Portrait", camera), Vector((0.1, -0.8, 0.02)))
    scene.render.resolution_x = scene.render.resolution_y = 1080
    for name, place, watts in LIGHTS:
        light = bpy.data.lights.new(name, "POINT")
        light.energy, light.shadow_soft_size = watts, 0.3
        _placed(scene, bpy.data.objects.new(name, light), Vector(place))


def _placed(scene: Scene, thing: Object, place: Vector) -> Object:
    """Something that looks at the face from a place beside it."""
    scene.collection.objects.link(thing)
    thing.location = FACE + place
    thing.rotation_euler = (-place).to_track_quat("-Z", "Y").to_euler()
    return thing
