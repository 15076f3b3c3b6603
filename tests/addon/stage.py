# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests put into a scene, and how they read what was written."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
import pytest


def tone(path: Path, seconds: float, clicks: tuple[float, ...] = (), rate: int = 48000) -> Path:
    """A sound file with clicks of 2 ms in silence, or a steady tone where there are none."""
    count = round(seconds * rate)
    samples = np.zeros(count)
    for click in clicks:
        samples[round(click * rate) : round((click + 0.002) * rate)] = 0.9
    if not clicks:
        samples = 0.3 * np.sin(2 * math.pi * 220 * np.arange(count) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def strips_of(scene: bpy.types.Scene):
    """The strips of a scene, under either of their names."""
    editor = scene.sequence_editor
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def add_strip(scene: bpy.types.Scene, path: Path, name: str = "line", frame: int = 1, channel: int = 1):
    if not bpy.app.build_options.audaspace:
        pytest.skip("this build of Blender has no sound strips: the index's module of 4.2 comes without Audaspace")
    strip = strips_of(scene).new_sound(name, str(path), channel, frame)
    scene.sequence_editor.active_strip = strip
    return strip


def add_character(
    names: tuple[str, ...] = ("jawOpen", "mouthClose", "eyeBlinkLeft"), name: str = "Head"
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    character = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(character)
    character.shape_key_add(name="Basis")
    for shape in names:
        character.shape_key_add(name=shape).points[0].co.z = 1
    bpy.context.view_layer.objects.active = character
    return character


def add_armature(*bones: tuple[str, Sequence[float], Sequence[float]], name: str = "Rig") -> bpy.types.Object:
    """An armature with these bones, each with its head and its tail."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for title, head, tail in bones:
        bone = armature.data.edit_bones.new(title)
        bone.head, bone.tail = head, tail
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def append_linked(name: str, library: Path) -> bpy.types.Object:
    """A character that lies in another file, linked into the scene."""
    bpy.data.libraries.write(str(library), {add_character(name=name)})
    bpy.data.objects.remove(bpy.data.objects[name])
    with bpy.data.libraries.load(str(library), link=True) as (_, into):
        into.objects = [name]
    (linked,) = into.objects
    bpy.context.scene.collection.objects.link(linked)
    return linked


def curves_of(action: bpy.types.Action) -> dict[str, list[tuple[float, float]]]:
    """All keys of an action: shape key → (frame, value)."""
    return {
        curve.data_path.split('"')[1]: [tuple(point.co) for point in curve.keyframe_points] for curve in curves(action)
    }


def curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags for curve in bag.fcurves]


def shown(character: bpy.types.Object, frame: int) -> dict[str, float]:
    """The evaluated values of a character's shape keys in its own scene."""
    bpy.context.scene.frame_set(frame)
    key = character.data.shape_keys.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {block.name: round(block.value, 4) for block in key.key_blocks}


def mixdown(path: Path, first: int, last: int) -> tuple[np.ndarray, int]:
    """What the scene's sound really is between two frames, by Blender itself: samples and their rate."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = first, last
    kind = {"container": "WAV", "codec": "PCM", "format": "S16", "mixrate": 48000, "channels": "MONO"}
    bpy.ops.sound.mixdown(filepath=str(path), check_existing=False, **kind)
    return samples_of(path.read_bytes())


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(content)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        return data, file.getframerate()


def break_once(monkeypatch: pytest.MonkeyPatch, holder: object, name: str) -> None:
    """Have the next call of a function fail as nobody foresaw."""
    real, faults = getattr(holder, name), [ZeroDivisionError("nobody thought of this")]

    def broken(*arguments, **options):
        if faults:
            raise faults.pop()
        return real(*arguments, **options)

    monkeypatch.setattr(holder, name, broken)
