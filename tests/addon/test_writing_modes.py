# SPDX-License-Identifier: GPL-3.0-or-later
"""Where keys go: every mode changes what belongs to the lip sync, and nothing else by a single bit."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, curves, curves_of, shown

FIRST, LAST = 20, 39
SHAPES = ("jawOpen", "mouthClose", "eyeBlinkLeft", "browInnerUp")
MODES = ("new", "replace", "nla")


@pytest.fixture
def head():
    return add_character(SHAPES)


@pytest.fixture
def keys(addon):
    """All keys of an action bit for bit: shape key → records."""
    return lambda action: {curve.data_path.split('"')[1]: addon.writing.keys.read(curve) for curve in curves(action)}


@pytest.fixture
def artists(head):
    """An action by hand: sparse Bezier keys on three shape keys, two of them ones that lip sync writes too."""
    places = {
        "jawOpen": [(1, 0.2), (25, 0.9), (31.5, 0.4), (70, 0.3)],
        "eyeBlinkLeft": [(5, 0.0), (27, 1.0), (60, 0.0)],
        "mouthClose": [(10, 0.6)],
    }
    for shape, points in places.items():
        block = head.data.shape_keys.key_blocks[shape]
        for frame, value in points:
            block.value = value
            block.keyframe_insert("value", frame=frame)
    action = head.data.shape_keys.animation_data.action
    for curve in curves(action):
        curve.keyframe_points[0].handle_right_type = "FREE"
        curve.keyframe_points[0].handle_right = (4.0, 0.77)
    return action


@pytest.fixture
def write(begin_writing):
    """Write a ramp; gives the action."""

    def write(head, first=FIRST, last=LAST, shapes=("jawOpen", "mouthClose"), strip="line", **options):
        columns = {shape: np.linspace(0.1, 0.9, last - first + 1, dtype=np.float32) for shape in shapes}
        writing = begin_writing(head, columns, strip, first, **options)
        assert writing.advance()
        return bpy.data.actions[writing.commit().actions[0]]

    return write


def outside(keys: np.ndarray, first: int, last: int) -> bytes:
    frames = keys["co"][:, 0]
    return keys[(frames < first) | (frames > last)].tobytes()


def anchors_apart(keys: np.ndarray, first: int, last: int) -> np.ndarray:
    return keys[~np.isin(keys["co"][:, 0], (first - 1, last + 1))]


@pytest.mark.parametrize("mode", MODES)
def test_artists_own_keys_outside_range_and_regions_stay_bit_for_bit(head, artists, keys, write, mode):
    before, name = keys(artists), artists.name
    write(head, mode=mode, blend=3)
    after = keys(bpy.data.actions[name])
    assert after["eyeBlinkLeft"].tobytes() == before["eyeBlinkLeft"].tobytes()
    for shape in ("jawOpen", "mouthClose"):
        mine = after[shape] if mode != "replace" else anchors_apart(after[shape], FIRST, LAST)
        assert outside(mine, FIRST, LAST) == outside(before[shape], FIRST, LAST)
        if mode != "replace":
            assert after[shape].tobytes() == before[shape].tobytes()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("first", "last"), [(50, 69), (24, 30), (20, 39)])
def test_again_after_the_strip_moved_or_was_cut_gives_the_artist_everything_back(
    head, artists, keys, write, mode, first, last
):
    """Written once and for another range again, the file holds exactly what it would hold, written there at once."""
    name = artists.name
    twin = add_character(SHAPES, "Twin")
    twin.data.shape_keys.animation_data_create().action = artists.copy()
    if hasattr(artists, "slots"):
        twin.data.shape_keys.animation_data.action_slot = twin.data.shape_keys.animation_data.action.slots[0]
    twins = twin.data.shape_keys.animation_data.action.name

    write(head, mode=mode, blend=2)
    write(head, first, last, mode=mode, blend=2)
    write(twin, first, last, mode=mode, blend=2)

    twice, once = keys(bpy.data.actions[name]), keys(bpy.data.actions[twins])
    assert {shape: found.tobytes() for shape, found in twice.items()} == {
        shape: found.tobytes() for shape, found in once.items()
    }


def test_replace_writes_into_the_active_action_and_nowhere_else(head, artists, write):
    count, name = len(bpy.data.actions), artists.name
    action = write(head, mode="replace")
    assert (len(bpy.data.actions), action.name) == (count, name)
    assert head.data.shape_keys.animation_data.action == action
    assert len(head.data.shape_keys.animation_data.nla_tracks) == 0
    inside = [frame for frame, _ in curves_of(action)["jawOpen"] if FIRST <= frame <= LAST]
    assert inside == list(range(FIRST, LAST + 1))
    assert shown(head, FIRST)["jawOpen"] == pytest.approx(0.1, abs=1e-3)


def test_replace_lets_the_curves_go_on_outside_as_they_were(head, artists, write):
    far = (1, 8, FIRST - 1, LAST + 1, 60, 70, 90)
    before = {frame: shown(head, frame) for frame in far}
    write(head, mode="replace")
    for frame in (FIRST - 1, LAST + 1, 70, 90):
        assert shown(head, frame) == pytest.approx(before[frame], abs=1e-4)
    for frame in far:
        assert shown(head, frame) == pytest.approx(before[frame], abs=0.06)


def test_replace_of_a_shape_key_without_keys_holds_its_value_outside(head, artists, write):
    head.data.shape_keys.key_blocks["browInnerUp"].value = 0.25
    write(head, mode="replace", shapes=("browInnerUp",))
    assert [shown(head, frame)["browInnerUp"] for frame in (1, 19, 40, 99)] == pytest.approx([0.25] * 4, abs=1e-4)


def test_replace_without_an_action_makes_one(head, write):
    action = write(head, mode="replace")
    assert action.name == "Mouthpiece line Head"
    assert shown(head, FIRST)["jawOpen"] == pytest.approx(0.1, abs=1e-3)


def test_replace_refuses_curves_that_would_repeat_the_speech(addon, head, artists, write):
    curves(artists)[0].modifiers.new("CYCLES")
    with pytest.raises(addon.errors.BadInput, match="have modifiers"):
        write(head, mode="replace")
    assert len(bpy.data.actions) == 1


def test_replace_refuses_an_asset(addon, head, artists, write):
    artists.asset_mark()
    with pytest.raises(addon.errors.BadInput, match="is an asset"):
        write(head, mode="replace")


def test_nla_track_cannot_be_masked_by_the_active_action(head, artists, write):
    action = write(head, mode="nla", blend=4)
    data = head.data.shape_keys.animation_data
    assert data.action is None
    assert [[strip.action for strip in track.strips] for track in data.nla_tracks] == [[artists], [action]]
    strip = data.nla_tracks[-1].strips[0]
    assert (strip.blend_in, strip.blend_out, strip.frame_start, strip.frame_end) == (4, 4, FIRST, LAST)
    assert shown(head, 30)["jawOpen"] == pytest.approx(np.interp(30, [FIRST, LAST], [0.1, 0.9]), abs=1e-3)
    assert shown(head, 70)["jawOpen"] == pytest.approx(0.3, abs=1e-4)


@pytest.mark.parametrize("first", [1, 24, 39, 40, 200])
def test_nla_strip_goes_where_the_lip_sync_goes(head, artists, write, first):
    write(head, mode="nla")
    write(head, first, first + 9, mode="nla")
    strip = head.data.shape_keys.animation_data.nla_tracks[-1].strips[0]
    assert (strip.frame_start, strip.frame_end) == (first, first + 9)
    assert (strip.action_frame_start, strip.action_frame_end, strip.scale) == (first, first + 9, 1)
    assert shown(head, first + 9)["jawOpen"] == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("second", MODES)
def test_another_mode_moves_the_same_lip_sync(head, artists, keys, write, first, second):
    """It never plays twice, and where it leaves the artist's action, that is as it was."""
    before, name = keys(artists), artists.name
    write(head, mode=first)
    write(head, mode=second)
    assert shown(head, 30)["jawOpen"] == pytest.approx(np.interp(30, [FIRST, LAST], [0.1, 0.9]), abs=1e-3)
    holders = [action for action in bpy.data.actions if action.get("mouthpiece")]
    assert len(holders) == 1
    if second != "replace":
        assert {shape: found.tobytes() for shape, found in keys(bpy.data.actions[name]).items()} == {
            shape: found.tobytes() for shape, found in before.items()
        }


@pytest.mark.parametrize("mode", ["new", "replace"])
def test_blend_passes_from_and_to_what_plays_there(head, artists, write, mode):
    before = {frame: shown(head, frame)["jawOpen"] for frame in range(FIRST - 1, LAST + 2)}
    write(head, mode=mode, blend=4)
    after = {frame: shown(head, frame)["jawOpen"] for frame in before}
    ours = dict(zip(range(FIRST, LAST + 1), np.linspace(0.1, 0.9, LAST - FIRST + 1), strict=True))
    assert abs(after[FIRST] - before[FIRST]) < 0.15 * abs(ours[FIRST] - before[FIRST]) + 1e-4
    assert abs(after[LAST] - before[LAST]) < 0.15 * abs(ours[LAST] - before[LAST]) + 1e-4
    assert after[30] == pytest.approx(ours[30], abs=1e-3)
    steps = np.abs(np.diff([after[frame] for frame in sorted(after)]))
    assert steps.max() < 0.35


def test_two_strips_in_one_action_of_the_artist(head, artists, keys, write):
    before, name = keys(artists), artists.name
    write(head, 20, 29, mode="replace", strip="first")
    write(head, 40, 49, mode="replace", strip="second")
    write(head, 20, 29, mode="new", strip="first")
    write(head, 40, 49, mode="new", strip="second")
    assert {shape: found.tobytes() for shape, found in keys(bpy.data.actions[name]).items()} == {
        shape: found.tobytes() for shape, found in before.items()
    }


def test_held_poses_are_constant_on_twos(head, write):
    action = write(head, step=2)
    points = next(curve for curve in curves(action) if "jawOpen" in curve.data_path).keyframe_points
    assert [point.co.x for point in points] == list(range(FIRST, LAST + 1, 2))
    assert {point.interpolation for point in points} == {"CONSTANT"}
    assert shown(head, FIRST + 1)["jawOpen"] == shown(head, FIRST)["jawOpen"]


@pytest.mark.parametrize("tolerance", [0.002, 0.01, 0.05])
def test_few_keys_stay_within_their_tolerance(head, begin_writing, tolerance):
    """Blender's own evaluation of the Bezier curve, on every frame."""
    chance = np.random.default_rng(3)
    window = np.hanning(17)
    wave = (3 * np.convolve(chance.random(400) - 0.4, window / window.sum(), "same")[50:350]).clip(0, 1)
    writing = begin_writing(head, {"jawOpen": wave.astype(np.float32)}, tolerance=tolerance)
    writing.advance()
    curve = curves(bpy.data.actions[writing.commit().actions[0]])[0]
    seen = np.array([curve.evaluate(frame) for frame in range(1, 301)])
    assert np.abs(seen - wave).max() <= tolerance + 1e-5
    assert len(curve.keyframe_points) < 300 * {0.002: 0.75, 0.01: 0.4, 0.05: 0.25}[tolerance]
    assert {point.interpolation for point in curve.keyframe_points} == {"BEZIER"}


def test_few_keys_in_the_artists_action(head, artists, write):
    action = write(head, mode="replace", tolerance=0.01)
    inside = [frame for frame, _ in curves_of(action)["jawOpen"] if FIRST <= frame <= LAST]
    assert inside == [FIRST, LAST]
    assert shown(head, 33)["jawOpen"] == pytest.approx(np.interp(33, [FIRST, LAST], [0.1, 0.9]), abs=0.011)


def test_undo_of_a_part_of_the_keys_is_noticed(begin_writing, head, monkeypatch):
    """An undo in the middle may take back some of the curves that were built; all of them are there in the end."""
    writing = begin_writing(head, {shape: np.ones(3, np.float32) for shape in SHAPES})
    assert not writing.advance(0.0)
    stage = bpy.data.actions[0]
    stage["mouthpiece_built"] -= 1
    assert not writing.advance()
    assert writing.advance()
    action = bpy.data.actions[writing.commit().actions[0]]
    assert set(curves_of(action)) == set(SHAPES)
    assert len(bpy.data.actions) == 1
    assert "mouthpiece_built" not in action


def test_armature_gets_an_action_of_its_own(addon, begin_writing, head):
    """Curves on several datablocks are one lip sync: an action for each, found again by the next one."""
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.update()  # an armature that was never evaluated crashes Blender 5.0 when it gets a slot
    ramp = np.linspace(0, 1, 10, dtype=np.float32)
    curve, unlimited = addon.rig.targets.Curve, (-np.inf, np.inf)
    jaw = head.data.shape_keys.key_blocks["jawOpen"].path_from_id("value")

    def write(first: int):
        record = addon.writing.ledger.Record("line", "Head", "", "", "", 1.0, "", first, first + 9, 24.0, ())
        found = [
            curve(head.data.shape_keys, jaw, 0, ramp, (0.0, 1.0), frozenset()),
            curve(armature, "rotation_euler", 2, -ramp, unlimited, frozenset()),
        ]
        take = addon.writing.take.Take.of(record, found)
        writing = addon.writing.staging.Writing([take], addon.writing.options.WritingOptions())
        writing.advance()
        return writing.commit().actions

    assert write(1) == write(30) == ("Mouthpiece line Head", "Mouthpiece line Head Rig")
    assert len(bpy.data.actions) == 2
    bpy.context.scene.frame_set(39)
    assert armature.rotation_euler.z == pytest.approx(-1.0)
    assert shown(head, 39)["jawOpen"] == pytest.approx(1.0)
