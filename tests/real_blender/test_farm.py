# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm's worker with the real application: what the job type for Flamenco asks for is spoken and rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import image

from tests.farm.flamenco import Compiler, Worker

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
import bpy
scene = bpy.context.scene
bpy.data.objects.remove(bpy.data.objects["Cube"])
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 48, 48, 100
camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
corners = bpy.data.objects["Anna Müller"].bound_box
middle = [(min(axis) + max(axis)) / 2 for axis in zip(*corners)]
camera.location, camera.rotation_euler = (middle[0], middle[1] - 1, middle[2]), (1.5708, 0, 0)
scene.collection.objects.link(camera)
scene.camera = camera
sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
sun.rotation_euler = (1, 0, 0)
scene.collection.objects.link(sun)
bpy.ops.wm.save_mainfile()
"""


def test_file_is_spoken_and_rendered(blender, make_shot, tmp_path):
    shot = make_shot()
    assert blender.run("-b", shot, "--python-exit-code", 1, "--python-expr", SMALL).returncode == 0
    compiler = Compiler(ROOT / "farm" / "flamenco" / "mouthpiece_lip_sync.js")
    worker = Worker({"blender": blender.program, "blenderArgs": "-b -y"}, {"S:": str(tmp_path)})
    spoken = tmp_path / "spoken"
    spoken.mkdir()
    tasks = compiler.compile(
        blendfile=str(shot),
        output_folder="S:/spoken",
        options="--object 'Anna Müller'",
        render=True,
        frames="80-82",
        chunk_size=2,
        render_output_root="S:/pictures",
    )
    done = worker.run(tasks, env=blender.environment, cwd=ROOT)
    assert done == ["speak shot ä", "render shot ä 80,81", "render shot ä 82"]
    assert (spoken / "shot ä.blend").exists()
    pictures = sorted((tmp_path / "pictures").rglob("*.png"))
    assert [picture.name for picture in pictures] == ["000080.png", "000081.png", "000082.png"]
    pixels = [image.imread(picture)[..., :3] for picture in pictures]
    assert all(picture.max() > 0.3 for picture in pixels), "nothing is to be seen"
    assert np.abs(pixels[0] - pixels[2]).max() > 0.05, "nothing moves"
