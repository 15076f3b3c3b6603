# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of ``python -m demo.styles``: three heads, each with a style of its own, speak the same strip.

Runs on the bpy module, as `demo.shot`; the motion comes from a real backend process and the model `diffusion`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import bpy
from mathutils import Vector

from . import extension, shot, studio
from .layout import BACKEND_PYTHON, HOLD_FRAMES, ROOT
from .styles import SEED, STYLES, Style, skipped_frames

APART = 0.215
"""Metres from head to head."""
HEIGHT = 0.5
"""Of the picture, as a share of its width."""
LIGHTS_AWAY = 2.2
LABEL = Vector((0.015, -0.16, 0.078))
"""Where a style's name stands, from its head's origin."""


def main() -> int:
    """Make the .blend, the frames and the video."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--samples", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    with extension.enabled(ROOT):
        make(chosen.output, chosen.width, chosen.samples)
    return 0


def make(output: Path, width: int, samples: int) -> None:
    """Everything that ends up in the output folder."""
    scene, first = shot.set_scene()
    strip = shot.add_strip(scene, skipped_frames())
    scene.frame_end = strip.frame_final_end + HOLD_FRAMES
    heads = [first, *(another_head(place * APART) for place in range(1, len(STYLES)))]
    for head, style in zip(heads, STYLES, strict=True):
        perform(scene, strip, head, style)
        add_label(scene, head, style.title)
    light_and_camera(scene, heads)
    studio.quick_render(scene, samples)
    scene.render.resolution_x, scene.render.resolution_y = width, round(HEIGHT * width / 2) * 2
    bpy.ops.wm.save_as_mainfile(filepath=str(output / "styles.blend"), check_existing=False)
    shot.render(scene, output / "frames")
    shot.encode(scene, output / "frames", output / "styles.mp4", skipped_frames())


def another_head(across: float) -> bpy.types.Object:
    """One more demo head, so far to the side."""
    bpy.ops.mouthpiece.add_demo_head()
    head = bpy.context.view_layer.objects.active
    head.location.x = across
    return head


def perform(scene: bpy.types.Scene, strip: bpy.types.Strip, head: bpy.types.Object, style: Style) -> None:
    """What an artist does in the panel: choose model, style, seed and emotions, and click Generate Lip Sync."""
    chosen = scene.mouthpiece
    chosen.strip, chosen.character, chosen.model, chosen.style = strip.name, head, "diffusion", style.identity
    scene.mouthpiece_performance.seed = SEED
    for emotion, weight in style.feels.items():
        setattr(head, f"mouthpiece_{emotion}", weight)
    bpy.ops.mouthpiece.generate()
    key = head.data.shape_keys
    if key.animation_data is None or key.animation_data.action is None:
        raise RuntimeError(f"no action was written for {style.title}")


def add_label(scene: bpy.types.Scene, head: bpy.types.Object, title: str) -> None:
    """The style's name below its head."""
    text = bpy.data.curves.new(title, "FONT")
    text.body, text.size, text.align_x = title, 0.022, "CENTER"
    text.materials.append(studio.glowing("Label", (0.8, 0.82, 0.84, 1.0)))
    made = bpy.data.objects.new(title, text)
    made.location = head.location + LABEL
    made.rotation_euler.x = 1.5708
    scene.collection.objects.link(made)


def light_and_camera(scene: bpy.types.Scene, heads: list[bpy.types.Object]) -> None:
    """The lights of the demo for every head, and a camera that sees all of them alike."""
    middle = sum((head.location for head in heads), Vector()) / len(heads)
    studio.lights(scene, middle + studio.FACE, away=LIGHTS_AWAY)
    studio.backdrop(scene, middle)
    studio.world(scene)
    data = bpy.data.cameras.new("Row")
    data.type, data.ortho_scale = "ORTHO", len(heads) * APART
    made = bpy.data.objects.new("Row", data)
    scene.collection.objects.link(made)
    made.location = middle + studio.FACE + Vector((0.12, -1.0, 0.0))
    studio.face(made, middle + studio.FACE)
    scene.camera = made


if __name__ == "__main__":
    sys.exit(main())
