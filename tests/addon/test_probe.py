# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a character does not move although keys were written, the artist is told why."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_armature, add_character, add_strip, curves, tone

RAMP = {"jawOpen": np.linspace(0, 1, 10, dtype=np.float32)}


@pytest.fixture
def head():
    return add_character()


@pytest.fixture
def complaints(addon, head, begin_writing):
    """Write a ramp, let the test spoil something, and look."""

    def complaints(spoil=lambda key, action: None, columns=RAMP) -> str:
        writing = begin_writing(head, columns, first=5)
        writing.advance()
        spoil(head.data.shape_keys, bpy.data.actions[writing.commit().actions[0]])
        return " ".join(addon.probe.complaints(head, [head], writing))

    return complaints


def test_no_complaint_where_all_is_well(complaints, scene):
    scene.frame_set(77)
    assert complaints() == ""
    assert scene.frame_current == 77
    assert len(bpy.data.scenes) == 1


def test_no_complaint_about_a_resting_mouth(complaints):
    assert complaints(columns={"jawOpen": np.zeros(10, np.float32)}) == ""


def test_unkeyed_pose_survives_the_look(complaints, head):
    head.keyframe_insert("location", frame=1)
    head.location.x = 4.0
    complaints()
    assert head.location.x == 4.0


def test_muted_shape_key(complaints):
    def spoil(key, action):
        key.key_blocks["jawOpen"].mute = True

    assert "Muted shape keys do not show: jawOpen." in complaints(spoil)


def test_only_the_active_shape_key_is_shown(complaints, head):
    head.show_only_shape_key = True
    assert "shows its active shape key only" in complaints()


def test_slider_range(complaints, head):
    head.data.shape_keys.key_blocks["jawOpen"].slider_max = 0.25
    assert complaints().startswith("The slider range cuts the motion of jawOpen.")


def test_driver_on_the_value(complaints):
    def spoil(key, action):
        key.driver_add('key_blocks["jawOpen"].value').driver.expression = "0.3"

    assert "Drivers set what the lip sync moves" in complaints(spoil)


def test_solo_track(complaints, head):
    def spoil(key, action):
        track = key.animation_data.nla_tracks.new()
        track.strips.new("walk", 1, bpy.data.actions.new("walk"))
        track.is_solo = True

    assert "solo track" in complaints(spoil)


def test_muted_curve(complaints):
    def spoil(key, action):
        curves(action)[0].mute = True

    assert "own curves are muted" in complaints(spoil)


def push_down(key, action):
    data = key.animation_data
    track = data.nla_tracks.new()
    track.strips.new("mine", 5, action)
    data.action = None
    return track


def test_muted_track(complaints):
    def spoil(key, action):
        push_down(key, action).mute = True

    assert "NLA track that is muted" in complaints(spoil)


def test_another_action_in_front(complaints):
    def spoil(key, action):
        push_down(key, action)
        key.key_blocks["jawOpen"].value = 0.3
        key.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
        key.animation_data.action.name = "hand made"

    assert "Another action plays in front of the lip sync: hand made." in complaints(spoil)


def test_hidden_character(complaints, head):
    head.hide_viewport = True
    assert "disabled in viewports" in complaints()


def test_another_part_shows_its_active_shape_key_only(addon, scene, use_fake, tmp_path):
    """The armature is chosen, and a mesh that hangs on it is pinned."""
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    head, rig = add_character(name="Anna"), add_armature(("spine", (0, 0, 0), (0, 0, 1)))
    head.parent, head.show_only_shape_key = rig, True
    (warning,) = warnings(addon, rig)
    assert warning.startswith("“Anna” shows its active shape key only")


def test_a_pinned_mesh_that_was_not_written_is_none_of_our_business(addon, scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    rig = add_armature(("jaw", (0, 0, 0), (0, -0.1, 0)))
    add_character(("smooth",), name="Body").parent = rig
    bpy.data.objects["Body"].show_only_shape_key = True
    assert warnings(addon, rig) == ()


def test_armature_in_rest_position(addon, scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    rig = add_armature(("jaw", (0, 0, 0), (0, -0.1, 0)))
    rig.data.pose_position = "REST"
    (warning,) = warnings(addon, rig)
    assert warning == "“Rig” is in Rest Position, so its bones do not move. Set it to Pose Position."


def test_rest_position_does_not_still_shape_keys(addon, scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    head, rig = add_character(name="Anna"), add_armature(("spine", (0, 0, 0), (0, 0, 1)))
    head.parent, rig.data.pose_position = rig, "REST"
    assert warnings(addon, rig) == ()


def warnings(addon, character) -> tuple[str, ...]:
    """What a whole job has to complain of."""
    said = {**addon.generate_command.words(), "strip": "line", "object": character.name}
    return addon.job.generate_lip_sync(*addon.generate_command.choice(said), addon.session.current).warnings
