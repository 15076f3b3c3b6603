# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a character does not move although keys were written, the artist is told why."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, curves

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
