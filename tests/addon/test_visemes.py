# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones as a second view of a result: strengths that scale the keys, markers, files."""

from __future__ import annotations

import json

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, tone

CHANNELS = ("jawOpen", "mouthClose", "eyeBlinkLeft", "mouthPressLeft")


@pytest.fixture
def result(scene, use_fake, tmp_path):
    """A finished line of two seconds at frame 11: a pause, a p, a vowel and a pause, half a second each."""
    use_fake("phones")
    add_strip(scene, tone(tmp_path / "line.wav", 2.0), frame=11)
    head = add_character(CHANNELS)
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    return head


def keys(head) -> dict[str, np.ndarray]:
    action = head.data.shape_keys.animation_data.action
    return {name: np.array([value for _, value in points]) for name, points in curves_of(action).items()}


def phones_with(addon, *strengths: float):
    names, visemes = ("sil", "p", "ɑː", "sil"), ("sil", "pb", "AA", "sil")
    rows = enumerate(zip(names, visemes, strengths, strict=True))
    return tuple(addon.phones.Phone(name, viseme, i / 2, (i + 1) / 2, strength) for i, (name, viseme, strength) in rows)


def test_nothing_is_listed_before_a_result(addon, scene, tmp_path):
    assert not bpy.ops.mouthpiece.list_visemes.poll()
    assert not bpy.ops.mouthpiece.show_phone_markers.poll()


def test_a_vowel_made_weaker_moves_the_jaw_less_in_its_span_only(result, addon, scene):
    before = keys(result)
    assert bpy.ops.mouthpiece.list_visemes() == {"FINISHED"}
    rows = scene.mouthpiece_visemes.rows
    assert [(row.name, round(row.start, 2)) for row in rows] == [("sil", 0), ("p", 0.5), ("ɑː", 1), ("sil", 1.5)]
    rows[2].strength = 0.5
    assert bpy.ops.mouthpiece.apply_visemes() == {"FINISHED"}
    after = keys(result)
    np.testing.assert_allclose(after["jawOpen"][26:34], 0.5 * before["jawOpen"][26:34], atol=1e-5)
    for outside in (slice(0, 23), slice(38, 48)):
        np.testing.assert_allclose(after["jawOpen"][outside], before["jawOpen"][outside], atol=1e-6)
    np.testing.assert_array_equal(after["eyeBlinkLeft"], before["eyeBlinkLeft"])
    assert len(bpy.data.actions) == 1


def test_the_list_knows_whether_its_strengths_are_in_the_keys(result, addon, scene):
    bpy.ops.mouthpiece.list_visemes()
    listing, settings = addon.interface.viseme_list, scene.mouthpiece_visemes

    def is_written() -> bool:
        return listing.is_written(settings, listing.last_result(bpy.context))

    assert is_written()
    settings.rows[2].strength = 0.5
    assert not is_written()
    bpy.ops.mouthpiece.apply_visemes()
    assert is_written()
    bpy.ops.mouthpiece.generate()
    assert not is_written(), "a new result begins with strengths of 1"


def test_a_list_of_another_cut_of_the_strip_is_not_applied(result, addon, scene, tmp_path):
    """As many phones, and nearly as long: but each of them begins elsewhere."""
    listing, settings = addon.interface.viseme_list, scene.mouthpiece_visemes
    bpy.ops.mouthpiece.list_visemes()
    settings.rows[2].strength = 0.5
    assert bpy.ops.mouthpiece.export_phones(filepath=str(tmp_path / "line.json")) == {"FINISHED"}
    scene.sequence_editor.active_strip.frame_offset_start = 2
    bpy.ops.mouthpiece.generate()
    before = keys(result)
    assert not listing.is_listed(settings, listing.last_result(bpy.context))
    with pytest.raises(RuntimeError, match="not that of this strip's last result"):
        bpy.ops.mouthpiece.apply_visemes()
    with pytest.raises(RuntimeError, match="holds the phones of another result"):
        bpy.ops.mouthpiece.import_visemes(filepath=str(tmp_path / "line.json"))
    np.testing.assert_array_equal(keys(result)["jawOpen"], before["jawOpen"])
    bpy.ops.mouthpiece.list_visemes()
    assert bpy.ops.mouthpiece.apply_visemes() == {"FINISHED"}


def test_other_phones_at_the_same_times_are_another_result(result, addon, scene):
    listing, settings = addon.interface.viseme_list, scene.mouthpiece_visemes
    bpy.ops.mouthpiece.list_visemes()
    assert listing.is_listed(settings, listing.last_result(bpy.context))
    settings.rows[2].viseme = "IY"
    assert not listing.is_listed(settings, listing.last_result(bpy.context))


def test_strengths_are_taken_back_by_setting_them_to_one(result, scene):
    before = keys(result)
    bpy.ops.mouthpiece.list_visemes()
    scene.mouthpiece_visemes.show = "vowels"
    bpy.ops.mouthpiece.set_visemes(strength=2.0)
    assert [row.strength for row in scene.mouthpiece_visemes.rows] == [1, 1, 2, 1]
    bpy.ops.mouthpiece.apply_visemes()
    assert keys(result)["jawOpen"][30] == pytest.approx(2 * before["jawOpen"][30], abs=1e-4)
    scene.mouthpiece_visemes.show = "changed"
    bpy.ops.mouthpiece.set_visemes(strength=1.0)
    bpy.ops.mouthpiece.apply_visemes()
    for name, values in keys(result).items():
        np.testing.assert_allclose(values, before[name], atol=1e-6)


def test_apply_last_result_keeps_the_strengths(result, scene):
    bpy.ops.mouthpiece.list_visemes()
    scene.mouthpiece_visemes.rows[2].strength = 0.0
    bpy.ops.mouthpiece.apply_visemes()
    bpy.ops.mouthpiece.apply_last()
    assert keys(result)["jawOpen"][30] == pytest.approx(0, abs=1e-6)


def test_of_a_bilabial_only_the_seal_is_scaled(addon):
    values = np.full((48, 4), 0.4, np.float32)
    motion = addon.motion.Motion(CHANNELS, values, 24.0, "arkit", {})
    open_lips = addon.visemes.scaled(motion, phones_with(addon, 1, 0, 1, 1)).values
    np.testing.assert_allclose(open_lips[18], [0.4, 0, 0.4, 0], atol=1e-6)
    pressed = addon.visemes.scaled(motion, phones_with(addon, 1, 2, 1, 1)).values
    np.testing.assert_allclose(pressed[18], [0.4, 0.4, 0.4, 0.8], atol=1e-6)
    np.testing.assert_array_equal(motion.values, np.full((48, 4), 0.4, np.float32))


def test_strengths_pass_smoothly_from_phone_to_phone(addon):
    curve = addon.visemes.curve(phones_with(addon, 1, 1, 0, 2), (1, 1, 0, 2), 480, 240.0)
    assert curve[[0, 200, 300, 479]].tolist() == [1, 1, 0, 2]
    assert abs(np.diff(curve)).max() < 0.25
    short = tuple(addon.phones.Phone("x", "AA", i * 0.01, (i + 1) * 0.01, i % 2) for i in range(100))
    assert np.isfinite(addon.visemes.curve(short, [phone.strength for phone in short], 24, 24.0)).all()


def test_strengths_of_another_line_are_refused(addon):
    motion = addon.motion.Motion(CHANNELS, np.zeros((24, 4), np.float32), 24.0, "arkit", {})
    with pytest.raises(addon.errors.BadInput, match="another length"):
        addon.visemes.scaled(motion, phones_with(addon, 1, 0, 1, 1))


def test_markers_lie_where_phones_begin_and_go_without_touching_others(result, scene):
    scene.timeline_markers.new("mp shot 3", frame=4)
    for _ in range(2):
        assert bpy.ops.mouthpiece.show_phone_markers() == {"FINISHED"}
        marked = [(marker.name, marker.frame) for marker in scene.timeline_markers]
        assert marked == [("mp shot 3", 4), ("mp:p", 23), ("mp:ɑː", 35)]
    assert bpy.ops.mouthpiece.remove_phone_markers() == {"FINISHED"}
    assert [marker.name for marker in scene.timeline_markers] == ["mp shot 3"]


def test_the_playhead_goes_to_the_chosen_phone(result, scene):
    bpy.ops.mouthpiece.list_visemes()
    scene.mouthpiece_visemes.active = 2
    assert scene.frame_current == 11 + 24


def test_strengths_go_to_a_file_and_back(result, scene, tmp_path):
    path = tmp_path / "line.json"
    bpy.ops.mouthpiece.list_visemes()
    scene.mouthpiece_visemes.rows[2].strength = 0.25
    assert bpy.ops.mouthpiece.export_phones(filepath=str(path)) == {"FINISHED"}
    bpy.ops.mouthpiece.list_visemes()
    assert scene.mouthpiece_visemes.rows[2].strength == 1.0
    assert bpy.ops.mouthpiece.import_visemes(filepath=str(path)) == {"FINISHED"}
    assert scene.mouthpiece_visemes.rows[2].strength == 0.25
    path.write_text('{"phones": [{"name": "p"}]}', encoding="utf-8")
    with pytest.raises(RuntimeError, match="holds no visemes"):
        bpy.ops.mouthpiece.import_visemes(filepath=str(path))


def test_praat_gets_a_text_grid(result, tmp_path):
    path = tmp_path / "line.TextGrid"
    assert bpy.ops.mouthpiece.export_phones(filepath=str(path)) == {"FINISHED"}
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[:2] == ['File type = "ooTextFile"', 'Object class = "TextGrid"']
    assert "intervals: size = 4" in lines
    first = lines.index("intervals [2]:")
    assert lines[first + 1 : first + 4] == ["xmin = 0.5", "xmax = 1", 'text = "p"']


def test_the_command_writes_edited_strengths(result, addon, tmp_path, capfd):
    before = keys(result)["jawOpen"]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    path, out = tmp_path / "line.json", tmp_path / "out.blend"
    assert addon.cli.run(["generate", "--phones", str(path), "--output", str(out)]) == 0
    edited = json.loads(path.read_text(encoding="utf-8"))
    edited["phones"][2]["strength"] = 0.5
    path.write_text(json.dumps(edited), encoding="utf-8")
    assert addon.cli.run(["generate", "--visemes", str(path), "--output", str(out)]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(out))
    after = keys(bpy.data.objects["Head"])["jawOpen"]
    np.testing.assert_allclose(after[26:34], 0.5 * before[26:34], atol=1e-5)
    path.write_text("[]", encoding="utf-8")
    assert addon.cli.run(["generate", "--visemes", str(path), "--output", str(out)]) == 2
    assert "holds no visemes" in capfd.readouterr().err
