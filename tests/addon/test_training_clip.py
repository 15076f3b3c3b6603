# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip and a character's animation become a training clip: what is in it, and that the file stays as it was."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_armature, add_character, add_strip, curves, tone

SLIDERS = ("Open", "Wide", "Round", "Press", "BiteLip", "TongueUp", "SneerL", "SneerR")
FIRST, SECONDS = 11, 2.0


def keyed(owner: bpy.types.ID, path: str, *keys: tuple[float, float], index: int = -1) -> None:
    """Keys (frame, value), straight lines between them."""
    for frame, value in keys:
        holder, _, name = path.rpartition(".")
        target = owner.path_resolve(holder) if holder else owner
        if path.startswith("["):
            owner[path[2:-2]] = value
        elif index >= 0:
            getattr(target, name)[index] = value
        else:
            setattr(target, name, value)
        owner.keyframe_insert(path, frame=frame, index=index)
    for curve in curves(owner.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def add_sliders(character: bpy.types.Object) -> None:
    """Eight custom properties, each with another range."""
    for number, name in enumerate(SLIDERS):
        character[name] = 0.0
        character.id_properties_ui(name).update(min=-float(number), max=1.0)


@pytest.fixture
def strip(scene, tmp_path):
    return add_strip(scene, tone(tmp_path / "line.wav", SECONDS, (0.5,)), name="Line 1", frame=FIRST)


@pytest.fixture
def export(addon, scene, tmp_path):
    def export(character: bpy.types.Object, strip=None, folder: Path = tmp_path / "clips", **words: object):
        name = strip.name if strip else "Line 1"
        return addon.training_clip.export(addon.training_clip.Order(scene.name, name, character.name, folder, **words))

    return export


def read(report) -> tuple[dict[str, np.ndarray], dict]:
    """Curves by control, and the metadata."""
    with np.load(report.motion, allow_pickle=False) as file:
        assert str(file["space"]) == report.space
        assert (float(file["fps"]), float(file["start"])) == (report.fps, 0.0)
        assert file["values"].dtype == np.float32
        columns = {str(name): file["values"][:, column] for column, name in enumerate(file["names"])}
        return columns, json.loads(str(file["metadata"]))


def everything(scene: bpy.types.Scene) -> tuple:
    """What must be the same before and after."""
    ids = {name: len(getattr(bpy.data, name)) for name in ("scenes", "objects", "actions", "sounds", "meshes")}
    return ids, scene.frame_current, scene.frame_start, scene.frame_end, bpy.context.scene.name


# --- time and sound ---


@pytest.mark.parametrize(
    ("fps", "base", "rate"),
    [(24, 1.0, 30.0), (24, 1.001, 30.0), (25, 1.0, 25.0), (30, 1.0, 30.0), (60, 1.0, 30.0), (50, 1.0, 25.0)],
)
def test_values_are_right_in_time_at_every_scene_rate(scene, tmp_path, export, fps, base, rate):
    scene.render.fps, scene.render.fps_base = fps, base
    strip = add_strip(scene, tone(tmp_path / "line.wav", SECONDS), name="Line 1", frame=FIRST)
    last = int(strip.frame_final_end) - 1
    character = add_character(("Open",))
    keyed(character.data.shape_keys, 'key_blocks["Open"].value', (FIRST, 0.0), (last, 1.0))
    report = export(character)
    times = np.arange(report.frames) / report.fps
    assert report.fps == rate
    assert times[-1] * fps / base == pytest.approx(last - FIRST, abs=fps / base / rate)
    np.testing.assert_allclose(read(report)[0]["Open"], times * fps / base / (last - FIRST), atol=1e-4)


def test_sound_is_what_the_strip_plays(scene, strip, export):
    strip.frame_offset_start, strip.frame_offset_end = 6, 12  # a quarter and half a second
    character = add_character(("Open",))
    keyed(character.data.shape_keys, 'key_blocks["Open"].value', (1, 0.0), (80, 1.0))
    report = export(character)
    with wave.open(report.sound) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) / rate == pytest.approx(30 / 24, abs=0.002)
    assert np.argmax(np.abs(samples) > 3000) / rate == pytest.approx(0.25, abs=0.002)
    assert read(report)[0]["Open"][0] == pytest.approx(16 / 79, abs=1e-4)


# --- which controls ---


def test_custom_properties_are_exported_by_their_names_with_their_ranges(strip, export):
    character = add_character(())
    add_sliders(character)
    for number, name in enumerate(SLIDERS):
        keyed(character, f'["{name}"]', (FIRST, 0.0), (FIRST + 47, -number / 10 or 0.5))
    report = export(character, identity="Anna")
    columns, about = read(report)
    assert tuple(columns) == report.controls == SLIDERS
    assert about["identity"] == "Anna"
    assert about["limits"] == {name: [-number, 1.0] for number, name in enumerate(SLIDERS)}
    for number, name in enumerate(SLIDERS):
        # the last of the 30 fps frames lies just before the last scene frame
        assert columns[name][-1] == pytest.approx(-number / 10 or 0.5, abs=0.02)


def test_what_drives_a_shape_key_is_exported_and_not_the_shape_key(strip, export):
    character = add_character(("Open", "jawOpen"))
    character["Open"], character["idle"] = 0.0, 0.7
    for block in ("Open", "jawOpen"):
        driver = character.data.shape_keys.key_blocks[block].driver_add("value").driver
        driver.type = "AVERAGE"
        variable = driver.variables.new()
        variable.targets[0].id, variable.targets[0].data_path = character, '["Open"]'
    keyed(character, '["Open"]', (FIRST, 0.0), (FIRST + 47, 0.8))
    columns, about = read(export(character))
    assert set(columns) == {"Open"}
    assert about["still"] == {"idle": pytest.approx(0.7)}
    assert about["limits"]["Open"][0] < -1e30  # the property's own limits, not those of the shape key of its name
    named, _ = read(export(character, controls=("jawOpen",)))
    np.testing.assert_allclose(named["jawOpen"], columns["Open"], atol=1e-5)


def test_nla_and_muted_tracks_count_as_they_show(strip, export):
    character = add_character(("Open", "Wide"))
    key = character.data.shape_keys
    keyed(key, 'key_blocks["Open"].value', (1, 0.25), (20, 0.25), (40, 1.0))
    action, key.animation_data.action = key.animation_data.action, None
    key.animation_data.nla_tracks.new().strips.new("later", 21, action)
    track = key.animation_data.nla_tracks.new()
    keyed(key, 'key_blocks["Wide"].value', (1, 0.0), (40, 1.0))
    track.strips.new("wide", 1, key.animation_data.action)
    key.animation_data.action, track.mute = None, True
    columns, about = read(export(character))
    assert set(columns) == {"Open"}
    assert columns["Open"][0] == pytest.approx(0.25)
    assert columns["Open"][-1] == pytest.approx(0.25 + 0.75 * 18 / 20, abs=0.04)  # 20 frames later than in the action
    assert "Wide" in about["still"]


def test_bones_count_with_their_constraints(scene, strip, export):
    rig = add_armature(*((name, (0, 0, 0), (0, 1, 0)) for name in ("jaw", "CTRL.face")))
    jaw, control = rig.pose.bones["jaw"], rig.pose.bones["CTRL.face"]
    jaw.rotation_mode = control.rotation_mode = "XYZ"
    control["Open"] = 0.0
    copied = jaw.constraints.new("COPY_ROTATION")
    copied.target, copied.subtarget = rig, "CTRL.face"
    keyed(rig, 'pose.bones["CTRL.face"].rotation_euler', (FIRST, 0.0), (FIRST + 47, 0.5), index=0)
    for frame, control["Open"] in ((FIRST, 0.0), (FIRST + 47, 1.0)):
        rig.keyframe_insert('pose.bones["CTRL.face"]["Open"]', frame=frame)
    assert export(rig).controls == ("CTRL.face:Open",)
    names = ("jaw:rotation_euler.x", "CTRL.face:rotation_euler.x", "jaw:location.z")
    columns, _ = read(export(rig, controls=names))
    assert tuple(columns) == names
    assert columns["jaw:rotation_euler.x"].max() > 0.45
    np.testing.assert_allclose(columns[names[0]], columns[names[1]], atol=1e-4)
    assert not columns["jaw:location.z"].any()


# --- nothing changes, nothing is lost ---


def test_nothing_in_the_file_changes(scene, strip, export):
    scene.frame_set(17)
    character = add_character(("Open",))
    keyed(character.data.shape_keys, 'key_blocks["Open"].value', (1, 0.0), (80, 1.0))
    character["pose"] = 0.3
    character.data.shape_keys.key_blocks["Open"].value = 0.77  # posed by hand, not keyed
    before = everything(scene)
    export(character)
    assert everything(scene) == before
    assert character.data.shape_keys.key_blocks["Open"].value == pytest.approx(0.77)


def test_piece_by_piece_gives_the_same_clip(addon, scene, strip, export, tmp_path):
    character = add_character(("Open",))
    keyed(character.data.shape_keys, 'key_blocks["Open"].value', (1, 0.0), (80, 1.0))
    whole, _ = read(export(character))
    order = addon.training_clip.Order(scene.name, strip.name, character.name, tmp_path / "pieces")
    work, fractions = addon.training_clip.Export(order), [0.0]
    before = everything(scene)
    while not work.advance(0.001):
        fractions.append(work.fraction)
        assert everything(scene) == before
    assert len(fractions) > 2
    assert fractions == sorted(fractions)
    pieces, _ = read(work.report)
    np.testing.assert_array_equal(pieces["Open"], whole["Open"])


def test_exporting_again_replaces_the_clip_and_another_ones_stays(addon, strip, export):
    character = add_character(("Open",))
    keyed(character.data.shape_keys, 'key_blocks["Open"].value', (1, 0.0), (80, 1.0))
    first = export(character)
    assert export(character) == first
    content = Path(first.motion).read_bytes()
    character.name = "Other"
    with pytest.raises(addon.errors.BadInput, match="clip of another shot or character"):
        export(character)
    assert Path(first.motion).read_bytes() == content


# --- what cannot be ---


def test_no_animation_is_one_sentence(addon, strip, export, tmp_path):
    still = add_character(("Open",), name="Statue")
    with pytest.raises(addon.errors.BadInput, match="“Statue” has no animation during “Line 1”"):
        export(still)
    with pytest.raises(addon.errors.BadInput, match=r"“Statue” has no control named “Wide”. .*: Open;"):
        export(still, controls=("Wide",))
    bare = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(bare)
    with pytest.raises(addon.errors.BadInput, match="no shape keys or custom properties"):
        export(bare)
    assert not list((tmp_path / "clips").glob("*"))


def test_only_driven_shape_keys_move(addon, strip, export):
    character = add_character(("Open",))
    character["idle"] = 0.7
    character.data.shape_keys.key_blocks["Open"].driver_add("value").driver.expression = "frame / 100"
    with pytest.raises(addon.errors.BadInput, match=r"Drivers set Open: choose the object with the properties"):
        export(character)
    assert export(character, controls=("Open",)).controls == ("Open",)


def test_folder_that_cannot_be_written_is_one_sentence(addon, strip, export, tmp_path):
    character = add_character(("Open",))
    (tmp_path / "file").write_text("")
    with pytest.raises(addon.errors.BadInput, match="Nothing can be written into the folder"):
        export(character, folder=tmp_path / "file" / "clips")
    with pytest.raises(addon.errors.BadInput, match="no sound strip named"):
        addon.training_clip.export(addon.training_clip.Order(bpy.context.scene.name, "gone", character.name, tmp_path))
