# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys go into an action of our own; what the artist has made plays on as before."""

from __future__ import annotations

import time

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, curves, curves_of, shown

FIRST, LAST = 20, 29


@pytest.fixture
def head():
    return add_character(("jawOpen", "mouthClose", "eyeBlinkLeft"))


@pytest.fixture
def write(begin_writing):
    """Write a ramp from 0.1 to 1 on some shape keys for a strip; gives the action and what made room for it."""

    def write(head, strip: str = "line", first: int = FIRST, last: int = LAST, shapes=("jawOpen",), **options):
        columns = {shape: np.linspace(0.1, 1, last - first + 1, dtype=np.float32) for shape in shapes}
        writing = begin_writing(head, columns, strip, first, **options)
        assert writing.advance()
        placed = writing.commit()
        return bpy.data.actions[placed.actions[0]], placed.moved

    return write


def key_values(head, shape: str, *keys: tuple[float, float]) -> None:
    """What an artist does: a slider and the letter I."""
    block = head.data.shape_keys.key_blocks[shape]
    for frame, value in keys:
        block.value = value
        block.keyframe_insert("value", frame=frame)


def test_ramp_plays(head, write):
    action, moved = write(head)
    assert moved == ()
    assert [shown(head, frame)["jawOpen"] for frame in (FIRST, 24, LAST)] == pytest.approx([0.1, 0.5, 1.0], abs=1e-3)
    assert curves_of(action)["jawOpen"][0] == pytest.approx((FIRST, 0.1))


def test_nothing_changes_before_the_commit(begin_writing, head):
    writing = begin_writing(head, {"jawOpen": np.ones(2, np.float32)})
    writing.advance()
    assert head.data.shape_keys.animation_data is None
    writing.discard()
    assert len(bpy.data.actions) == 0


def test_record_tells_what_the_action_was_made_from(addon, head, write):
    action, _ = write(head, "Zeile 1 – „Grüße“")
    record = addon.writing.ledger.Ledger.of(action).lines[0].record
    assert (record.strip, record.first_frame, record.shape_keys) == ("Zeile 1 – „Grüße“", FIRST, ("jawOpen",))
    assert action.name == "Mouthpiece Zeile 1 – „Grüße“ Head"


def test_again_replaces_only_our_own_keys(head, write):
    first, _ = write(head, shapes=("jawOpen", "mouthClose"))
    name = first.name
    key_values(head, "eyeBlinkLeft", (5, 1.0), (90, 0.0))  # goes into our action, because that is the active one
    again, _ = write(head, first=40, last=44, shapes=("jawOpen",))
    curves = curves_of(again)
    assert again.name == name
    assert len(bpy.data.actions) == 1
    assert [frame for frame, _ in curves["jawOpen"]] == [40, 41, 42, 43, 44]
    assert curves["eyeBlinkLeft"] == [(5, 1.0), (90, 0.0)]
    assert "mouthClose" not in curves


def test_artists_action_plays_on_below(head, write):
    key_values(head, "eyeBlinkLeft", (1, 0.0), (50, 1.0))
    key_values(head, "jawOpen", (1, 0.4), (50, 0.4))
    artist = head.data.shape_keys.animation_data.action
    before = {frame: shown(head, frame) for frame in (1, 10, 24, 40, 50, 70)}
    keys_before = curves_of(artist)

    action, moved = write(head)

    assert moved == (artist.name,)
    assert curves_of(artist) == keys_before
    for frame, values in before.items():
        if not FIRST <= frame <= LAST:
            assert shown(head, frame) == pytest.approx(values, abs=1e-4)
    assert shown(head, 24)["jawOpen"] == pytest.approx(0.5, abs=1e-3)
    assert shown(head, 24)["eyeBlinkLeft"] == pytest.approx(before[24]["eyeBlinkLeft"], abs=1e-4)
    assert head.data.shape_keys.animation_data.action == action


def test_artists_cyclic_action_goes_on_cycling(head, write):
    key_values(head, "jawOpen", (1, 0.0), (11, 0.5))
    data = head.data.shape_keys.animation_data
    curves(data.action)[0].modifiers.new("CYCLES")
    before = {frame: shown(head, frame)["jawOpen"] for frame in (5, 15, 45, 200)}
    write(head)
    assert {frame: shown(head, frame)["jawOpen"] for frame in before} == pytest.approx(before, abs=1e-4)


def test_two_strips_on_one_character_both_play(head, write):
    write(head, "first", 10, 19)
    write(head, "second", 40, 49)
    for first in (10, 40):
        assert shown(head, first)["jawOpen"] == pytest.approx(0.1, abs=1e-3)
        assert shown(head, first + 9)["jawOpen"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("strip", "first", "last"), [("first", 12, 24), ("second", 35, 39)])
def test_each_of_two_strips_can_be_generated_again(head, write, strip, first, last):
    write(head, "first", 10, 19)
    write(head, "second", 40, 49)
    write(head, strip, first, last)
    assert len(bpy.data.actions) == 2
    other = 40 if strip == "first" else 10
    for start, end in ((first, last), (other, other + 9)):
        assert shown(head, start)["jawOpen"] == pytest.approx(0.1, abs=1e-3)
        assert shown(head, end)["jawOpen"] == pytest.approx(1.0, abs=1e-3)


def test_corrections_keyed_above_a_pushed_down_lip_sync_stay_on_top(head, write):
    action, _ = write(head)
    data = head.data.shape_keys.animation_data
    data.nla_tracks.new().strips.new("mine", FIRST, action)
    data.action = None
    key_values(head, "eyeBlinkLeft", (1, 0.7))
    corrections = data.action
    write(head)
    data = head.data.shape_keys.animation_data
    assert data.action == corrections
    assert shown(head, 24)["eyeBlinkLeft"] == pytest.approx(0.7)
    assert shown(head, 24)["jawOpen"] == pytest.approx(0.5, abs=1e-3)


def test_values_stay_within_the_slider(begin_writing, head):
    head.data.shape_keys.key_blocks["jawOpen"].slider_max = 0.5
    writing = begin_writing(head, {"jawOpen": np.array([-0.2, 0.3, 2.0], np.float32)})
    writing.advance()
    action = bpy.data.actions[writing.commit().actions[0]]
    assert [value for _, value in curves_of(action)["jawOpen"]] == pytest.approx([0.0, 0.3, 0.5])


def test_undo_of_the_stage_starts_the_writing_anew(begin_writing, head):
    writing = begin_writing(head, {"jawOpen": np.ones(2, np.float32)})
    bpy.data.actions.remove(bpy.data.actions[0])
    assert not writing.advance()
    assert writing.advance()
    assert curves_of(bpy.data.actions[writing.commit().actions[0]])["jawOpen"] == [(1, 1), (2, 1)]


def test_name_of_another_action_is_refused(addon, head):
    bpy.data.actions.new("walk")
    with pytest.raises(addon.errors.BadInput, match="another action named “walk”"):
        addon.writing.staging.check_name("walk", head.data.shape_keys, "line", "Head")


LONG = tuple(f"shape {number}" for number in range(52))


def build(writing) -> list[float]:
    """Processor time of each step of 15 ms; the machine may be busy with other things."""
    steps, done = [], False
    while not done:
        began = time.process_time()
        done = writing.advance(0.015)
        steps.append(time.process_time() - began)
    return steps


@pytest.mark.parametrize(
    "options",
    [{}, {"tolerance": 0.01}, {"step": 2, "smoothing": 1.5}, {"mode": "replace", "blend": 8}],
    ids=["every frame", "few keys", "on twos", "replace"],
)
def test_ten_minutes_are_built_in_short_steps(begin_writing, options):
    """Curves of 18,000 frames, the second time in the place of the first."""
    head = add_character(LONG, "Long")
    noise = np.random.default_rng(0).random(18000, np.float32)
    wave = np.convolve(noise, np.hanning(15) / 7, "same").astype(np.float32)
    for _ in range(2):
        writing = begin_writing(head, dict.fromkeys(LONG[:4], wave), **options)
        assert max(build(writing)) < 0.05
        writing.commit()


def test_speed_beside_keyframe_insert(begin_writing):
    """52 curves of 18,000 keys in less than 3 s, and a key at least 50 times as fast as in Blender's own way."""
    head = add_character(LONG, "Long")
    values = np.random.default_rng(0).random(18000, np.float32)
    writing = begin_writing(head, dict.fromkeys(LONG, values))
    ours = sum(build(writing))
    action = bpy.data.actions[writing.commit().actions[0]]
    assert {len(curve.keyframe_points) for curve in curves(action)} == {18000}

    twin = add_character(LONG, "Twin").data.shape_keys.key_blocks[LONG[0]]
    began = time.process_time()
    for frame, value in enumerate(values[:4000].tolist(), 1):  # with every key it gets slower
        twin.value = value
        twin.keyframe_insert("value", frame=frame)
    inserted = time.process_time() - began
    assert ours < 3.0
    assert inserted / 4000 > 50 * ours / (52 * 18000)
