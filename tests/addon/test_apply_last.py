# SPDX-License-Identifier: GPL-3.0-or-later
"""A result is kept: it can be written again, otherwise, elsewhere or after a write that failed, without the model."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, shown, tone


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    return add_character()


@pytest.fixture
def no_backend(addon, monkeypatch):
    """From now on no backend can be started."""

    def forbid():
        addon.session.current.close()
        monkeypatch.setattr(addon.session, "BackendProcess", None)

    return forbid


def test_other_options_without_the_model(shot, scene, no_backend):
    bpy.ops.mouthpiece.generate()
    no_backend()
    scene.mouthpiece_writing.keys = "held"
    scene.mouthpiece_writing.regions = {"jaw"}
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    action = shot.data.shape_keys.animation_data.action
    assert {name: len(keys) for name, keys in curves_of(action).items()} == {"jawOpen": 12}
    assert len(bpy.data.actions) == 1


def test_another_character(shot, no_backend):
    bpy.ops.mouthpiece.generate()
    no_backend()
    bert = add_character(name="Bert")
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert shown(bert, 13)["jawOpen"] > 0.8
    assert shown(shot, 13)["jawOpen"] > 0.8


def test_after_a_write_that_failed(addon, shot, scene, no_backend):
    key = shot.data.shape_keys
    key.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    key.animation_data.action.asset_mark()
    scene.mouthpiece_writing.mode = "replace"
    with pytest.raises(RuntimeError, match="is an asset"):
        bpy.ops.mouthpiece.generate()
    assert addon.session.current.state is addon.session.State.ERROR
    no_backend()
    scene.mouthpiece_writing.mode = "new"
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert shown(shot, 13)["jawOpen"] > 0.8


def test_moved_strip_takes_its_result_along(shot, scene, no_backend):
    bpy.ops.mouthpiece.generate()
    no_backend()
    scene.sequence_editor.active_strip.frame_start = 101
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert [frame for frame, _ in curves_of(bpy.data.actions[0])["jawOpen"]] == list(range(101, 125))


def test_another_frame_rate_asks_for_another_result(shot, scene, no_backend):
    bpy.ops.mouthpiece.generate()
    keys = curves_of(bpy.data.actions[0])
    no_backend()
    scene.render.fps = 30
    with pytest.raises(RuntimeError, match=r"made for 24 frames per second, and the scene has 30 now\. Generate"):
        bpy.ops.mouthpiece.apply_last()
    assert [curves_of(action) for action in bpy.data.actions] == [keys]


def test_strip_that_was_cut_asks_for_another_result(shot, scene, no_backend):
    bpy.ops.mouthpiece.generate()
    keys = curves_of(bpy.data.actions[0])
    no_backend()
    strip = scene.sequence_editor.active_strip
    strip.frame_start, strip.frame_offset_start = 101, 4
    with pytest.raises(RuntimeError, match=r"made for 24 frames, and the strip has 20 now\. Generate it"):
        bpy.ops.mouthpiece.apply_last()
    assert [curves_of(action) for action in bpy.data.actions] == [keys]


def test_file_that_begins_elsewhere_takes_its_result_along(shot, scene, no_backend, tmp_path):
    chosen = scene.mouthpiece
    chosen.source, chosen.audio, chosen.first_frame = "file", str(tmp_path / "line.wav"), 51
    bpy.ops.mouthpiece.generate()
    no_backend()
    chosen.first_frame = 101
    assert bpy.ops.mouthpiece.apply_last() == {"FINISHED"}
    assert [frame for frame, _ in curves_of(bpy.data.actions[0])["jawOpen"]] == list(range(101, 125))


def test_only_what_has_been_generated_can_be_applied(shot):
    assert not bpy.ops.mouthpiece.apply_last.poll()


def test_another_file_has_results_of_its_own(addon, shot):
    bpy.ops.mouthpiece.generate()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert addon.runner.current.performances == {}


def test_cancel_while_it_is_written_again(addon, shot, monkeypatch):
    bpy.ops.mouthpiece.generate()
    keys = curves_of(bpy.data.actions[0])
    addon.session.current.close()
    monkeypatch.setattr(addon.runner, "WORK_SECONDS", 0.0)
    runner = addon.runner.current
    runner.begin_again(addon.interface.properties.choice(bpy.context))
    runner.step()
    assert addon.session.current.stage == "writing"
    bpy.ops.mouthpiece.cancel()
    runner.wait()
    assert addon.session.current.state is addon.session.State.IDLE
    assert [curves_of(action) for action in bpy.data.actions] == [keys]
