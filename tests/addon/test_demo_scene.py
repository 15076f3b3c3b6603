# SPDX-License-Identifier: GPL-3.0-or-later
"""From an installed package to a talking head: one click opens the demo scene, a second one lets it speak."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, shown

pytestmark = pytest.mark.skipif(
    not bpy.app.build_options.audaspace,
    reason="this build of Blender has no sound strips: the index's module of 4.2 comes without Audaspace",
)


@pytest.fixture
def opened(scene) -> bpy.types.Scene:
    """The demo scene beside a scene of the artist's."""
    scene.name = "Shot"
    add_character(name="Anna")
    assert bpy.ops.mouthpiece.open_demo_scene() == {"FINISHED"}
    return bpy.data.scenes["Lip Sync Demo"]


def test_the_real_model_speaks_at_the_second_click(addon, opened):
    assert bpy.context.scene == opened
    assert addon.interface.properties.why_not(bpy.context) == ""
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    report = addon.runner.current.report
    assert (report.character, report.first_frame) == ("Demo Head", 7)
    assert report.warnings == ()
    jaw = [
        shown(opened.objects["Demo Head"], frame)["jawOpen"] for frame in range(opened.frame_start, opened.frame_end)
    ]
    assert max(jaw) > 0.2
    assert jaw[0] < 0.05, "it rests before it speaks"


def test_the_artists_scene_stays_as_it_is(opened):
    mine = bpy.data.scenes["Shot"]
    assert [thing.name for thing in mine.objects] == ["Anna"]
    assert mine.view_layers[0].objects.active.name == "Anna"
    assert mine.camera is None
    assert opened.camera.name == "Portrait"
    assert "Anna" not in opened.objects


def test_the_line_travels_with_the_file(opened):
    (sound,) = bpy.data.sounds
    assert sound.packed_file.size > 50_000


def test_one_undo_takes_it_back(scene):
    bpy.ops.ed.undo_push(message="before")
    before = sorted(scene.name for scene in bpy.data.scenes)
    bpy.ops.mouthpiece.open_demo_scene("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert sorted(scene.name for scene in bpy.data.scenes) == before
