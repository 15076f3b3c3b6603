# SPDX-License-Identifier: GPL-3.0-or-later
"""The same small shot in every Blender, and its keys as a file.

``blender -b --python shot.py -- make SHOT.blend SOUND`` or ``blender -b SHOT.blend --python shot.py -- keys OUT.json``;
beside the bpy module `make` and `keys` are called directly.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy

STRIP, CHARACTER = "Zeile 1 – hello", "Anna Müller"
FIRST, TRIM_START, TRIM_END, FPS = 37, 12, 9, 24
"""The strip's first frame before its ends are trimmed; frames cut off at its ends; frames per second."""


def make(path: Path, sound: Path) -> None:
    """The demo head and a trimmed strip, with names that are not plain ASCII."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    bpy.ops.mouthpiece.add_demo_head()
    head = bpy.context.view_layer.objects.active
    head.name = CHARACTER
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_sound(STRIP, str(sound), 1, FIRST)
    strip.frame_offset_start, strip.frame_offset_end = TRIM_START, TRIM_END
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)


def keys() -> dict[str, list[tuple[float, float]]]:
    """Frame and value of every key of the character."""
    action = bpy.data.objects[CHARACTER].data.shape_keys.animation_data.action
    if hasattr(action, "fcurves"):
        curves = list(action.fcurves)
    else:
        bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
        curves = [curve for bag in bags for curve in bag.fcurves]
    return {curve.data_path.split('"')[1]: [tuple(key.co) for key in curve.keyframe_points] for curve in curves}


if __name__ == "__main__":
    what, *paths = sys.argv[sys.argv.index("--") + 1 :]
    if what == "make":
        make(*map(Path, paths))
    else:
        Path(paths[0]).write_text(json.dumps(keys()), encoding="utf-8")
