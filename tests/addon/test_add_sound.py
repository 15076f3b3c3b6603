# SPDX-License-Identifier: GPL-3.0-or-later
"""Add Sound lays a recording where it plays at once, and speaks at the next click."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, strips_of, tone


@pytest.fixture
def line(tmp_path):
    if not bpy.app.build_options.audaspace:
        pytest.skip("this build of Blender has no sound strips: the index's module of 4.2 comes without Audaspace")
    return tone(tmp_path / "line ä.wav", 1.0, (0.5,))


def places(scene) -> dict[str, tuple[int, int]]:
    """Channel and first frame of each strip."""
    return {strip.name: (strip.channel, strip.frame_final_start) for strip in strips_of(scene)}


def test_a_recording_is_added_and_spoken_in_two_clicks(addon, line, use_fake):
    use_fake("clicks")
    add_character()
    bpy.context.scene.frame_set(11)
    assert bpy.ops.mouthpiece.add_sound(filepath=str(line)) == {"FINISHED"}
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    assert addon.runner.current.report.first_frame == 11


def test_it_covers_nothing_that_plays_later(scene, line):
    add_strip(scene, line, name="before", frame=1, channel=1)
    add_strip(scene, line, name="now", frame=40, channel=2)
    add_strip(scene, line, name="later", frame=200, channel=1)
    there = places(scene)
    scene.frame_set(50)
    bpy.ops.mouthpiece.add_sound(filepath=str(line))
    assert places(scene) == there | {"line ä": (3, 50)}
    assert scene.mouthpiece.strip == "line ä"


def test_a_lower_channel_is_free_again_after_its_end(scene, line):
    add_strip(scene, line, name="before", frame=1, channel=1)
    scene.frame_set(25)
    bpy.ops.mouthpiece.add_sound(filepath=str(line))
    assert places(scene)["line ä"] == (1, 25)


def test_what_is_no_sound_is_refused_and_leaves_nothing(scene, tmp_path, line):
    path = tmp_path / "notes.wav"
    path.write_text("no sound")
    with pytest.raises(RuntimeError, match=r"notes\.wav"):
        bpy.ops.mouthpiece.add_sound(filepath=str(path))
    assert not strips_of(scene)
    assert not bpy.data.sounds


def test_one_undo_takes_it_back(scene, line):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.mouthpiece.add_sound("EXEC_DEFAULT", True, filepath=str(line))
    assert len(bpy.data.sounds) == 1
    bpy.ops.ed.undo()
    assert not strips_of(bpy.context.scene)
