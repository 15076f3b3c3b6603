# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of the demo: head, studio and strip; one click on Generate Lip Sync; render and encode.

Runs on the bpy module with the add-on enabled as an extension; the motion comes from a real backend process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import bpy
import numpy as np

from . import extension, studio
from .layout import BACKEND_PYTHON, FRAMES_PER_SECOND, HOLD_FRAMES, ROOT, SPEECH, STRIP_START, read_words


def main() -> int:
    """Make the .blend, the frames, the video, the keys and the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, default=720)
    parser.add_argument("--samples", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    with extension.enabled(ROOT):
        make(chosen.output, chosen.size, chosen.samples)
    return 0


def make(output: Path, size: int, samples: int) -> None:
    """Everything that ends up in the output folder."""
    scene, head = set_scene()
    strip = add_strip(scene)
    scene.frame_end = strip.frame_final_end + HOLD_FRAMES
    sentence = click_generate(scene, strip, head)
    studio.set_up(scene, head)
    studio.quick_render(scene, samples)
    scene.render.resolution_x = scene.render.resolution_y = size
    save_keys(head, strip, output / "keys.npz")
    (output / "report.json").write_text(json.dumps({"sentence": sentence}, ensure_ascii=False), encoding="utf-8")
    bpy.ops.wm.save_as_mainfile(filepath=str(output / "demo.blend"), check_existing=False)
    render(scene, output / "frames")
    encode(scene, output / "frames", output / "demo.mp4")


def set_scene() -> tuple[bpy.types.Scene, bpy.types.Object]:
    """An empty file with the demo head in it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FRAMES_PER_SECOND, 1.0
    bpy.ops.mouthpiece.add_demo_head()
    return scene, bpy.context.view_layer.objects.active


def add_strip(scene: bpy.types.Scene, skipped: int = 0) -> bpy.types.Strip:
    """The spoken line without so many of its first frames as a sound strip, packed so that the .blend can travel."""
    editor = scene.sequence_editor_create()
    strip = editor.strips.new_sound(SPEECH.stem, str(SPEECH), channel=1, frame_start=STRIP_START - skipped)
    strip.frame_offset_start = skipped
    strip.sound.pack()
    return strip


def click_generate(scene: bpy.types.Scene, strip: bpy.types.Strip, head: bpy.types.Object) -> str:
    """What the button in the panel does; gives the sentence that the artist reads."""
    scene.mouthpiece.strip, scene.mouthpiece.character = strip.name, head
    scene.mouthpiece_words.source, scene.mouthpiece_words.typed = "typed", read_words(SPEECH.with_suffix(".json"))
    scene.mouthpiece_writing.add_blinks = scene.mouthpiece_writing.add_darts = True
    bpy.ops.mouthpiece.generate()
    key = head.data.shape_keys
    if key.animation_data is None or key.animation_data.action is None:
        raise RuntimeError("no action was written")
    return f"{head.name} speaks “{strip.name}”: action “{key.animation_data.action.name}”."


def save_keys(head: bpy.types.Object, strip: bpy.types.Strip, path: Path) -> None:
    """The keys as they stand in the action, for the pictures."""
    key = head.data.shape_keys
    curves = curves_of(key.animation_data)
    names = [block.name for block in key.key_blocks if block.path_from_id("value") in curves]
    keyed = [keyframes(curves[key.key_blocks[name].path_from_id("value")]) for name in names]
    frames = keyed[0][:, 0].astype(np.float64)
    seconds = (frames - strip.frame_final_start) / FRAMES_PER_SECOND
    values = np.stack([points[:, 1] for points in keyed], axis=1)
    np.savez_compressed(path, names=np.array(names), values=values, frames=frames, seconds=seconds)


def curves_of(data: bpy.types.AnimData) -> dict[str, bpy.types.FCurve]:
    """The F-curves of the active action by data path."""
    from bpy_extras import anim_utils

    bag = anim_utils.action_get_channelbag_for_slot(data.action, data.action_slot)
    return {curve.data_path: curve for curve in bag.fcurves}


def keyframes(curve: bpy.types.FCurve) -> np.ndarray:
    """float32 [keys, 2]: frame and value."""
    points = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2)


def render(scene: bpy.types.Scene, folder: Path) -> None:
    """All frames as PNG; how far it is stands on the terminal."""
    if folder.exists():
        shutil.rmtree(folder)
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(folder) + "/"
    total = scene.frame_end - scene.frame_start + 1

    def show(_scene: bpy.types.Scene, _graph: object) -> None:
        done = scene.frame_current - scene.frame_start + 1
        sys.stderr.write(f"\rrendering {done}/{total} ")
        sys.stderr.flush()

    bpy.app.handlers.render_post.append(show)
    bpy.ops.render.render(animation=True)
    bpy.app.handlers.render_post.remove(show)
    sys.stderr.write("\n")


def encode(shot: bpy.types.Scene, frames: Path, path: Path, skipped: int = 0) -> None:
    """Frames and sound (see `add_strip`) as H.264 and AAC in an mp4, cut in a scene of its own."""
    scene = bpy.data.scenes.new("Cut")
    scene.frame_start, scene.frame_end = 1, shot.frame_end - shot.frame_start + 1
    scene.render.fps, scene.render.fps_base = shot.render.fps, shot.render.fps_base
    scene.render.resolution_x, scene.render.resolution_y = shot.render.resolution_x, shot.render.resolution_y
    scene.view_settings.view_transform = "Standard"
    strips = scene.sequence_editor_create().strips
    pictures = sorted(frames.glob("*.png"))
    image = strips.new_image("Frames", str(pictures[0]), channel=1, frame_start=1)
    for picture in pictures[1:]:
        image.elements.append(picture.name)
    strips.new_sound("Line", str(SPEECH), channel=2, frame_start=STRIP_START - skipped).frame_offset_start = skipped
    settings = scene.render.image_settings
    settings.media_type, settings.file_format = "VIDEO", "FFMPEG"
    video = scene.render.ffmpeg
    video.format, video.codec, video.audio_codec = "MPEG4", "H264", "AAC"
    video.constant_rate_factor, video.audio_bitrate, video.gopsize = "HIGH", 192, shot.render.fps
    scene.render.filepath = str(path)
    bpy.ops.render.render(animation=True, scene=scene.name)


if __name__ == "__main__":
    sys.exit(main())
