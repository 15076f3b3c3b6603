# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of controls in the interface: filling, correcting, switching off, saving, loading, forgetting."""

from __future__ import annotations

import json

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, tone

NAMES = ("qx01", "qx02", "blob.7", "Ω")


@pytest.fixture
def stranger(addon) -> bpy.types.Object:
    return add_character(NAMES, "Stranger")


def rows(character):
    return {row.name: row for row in character.mouthpiece_mapping.rows}


def carried(addon, character):
    return json.loads(addon.rig.face.carried(character))


def test_a_stranger_speaks_once_it_is_mapped_in_the_list(addon, scene, stranger, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "click.wav", 1.0, (0.5,)))
    assert not bpy.ops.mouthpiece.generate.poll()
    assert bpy.ops.mouthpiece.choose_rig() == {"FINISHED"}
    assert len(rows(stranger)) == 52
    rows(stranger)["jawOpen"].shown_by = "blob.7"
    rows(stranger)["jawOpen"].gain = 0.5
    assert carried(addon, stranger) == {
        "id": "arkit",
        "title": "ARKit",
        "extends": "arkit",
        "names": {"jawOpen": "blob.7"},
        "gains": {"jawOpen": 0.5},
    }
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    curves = curves_of(stranger.data.shape_keys.animation_data.action)
    assert list(curves) == ["blob.7"]
    assert 0.15 < max(value for _, value in curves["blob.7"]) <= 0.5


def test_another_convention_is_chosen_by_its_name(addon, stranger):
    assert bpy.ops.mouthpiece.choose_rig(convention="vrm1") == {"FINISHED"}
    assert [*rows(stranger)] == ["blink", "blinkLeft", "blinkRight", "aa", "ih", "ou", "ee", "oh"]
    rows(stranger)["aa"].shown_by = "Ω"
    assert addon.rig.face.face_of(stranger).match.found == {"aa": "Ω"}


def test_what_was_found_by_itself_stands_in_the_list(addon):
    head = add_character(("jawOpen", "mouthSmile_L"))
    bpy.ops.mouthpiece.choose_rig()
    assert rows(head)["mouthSmileLeft"].shown_by == "mouthSmile_L"
    assert addon.rig.face.face_of(head).match.found == {"jawOpen": "jawOpen", "mouthSmileLeft": "mouthSmile_L"}


@pytest.mark.parametrize("spoil", [lambda row: setattr(row, "is_on", False), lambda row: setattr(row, "shown_by", "")])
def test_a_control_is_switched_off(addon, spoil):
    head = add_character(("jawOpen", "mouthClose"))
    bpy.ops.mouthpiece.choose_rig()
    spoil(rows(head)["mouthClose"])
    assert addon.rig.face.face_of(head).match.found == {"jawOpen": "jawOpen"}


def test_names_are_offered_from_everything_that_belongs(addon, stranger):
    teeth = add_character(("teeth 9",), "Teeth")
    teeth.parent = stranger
    bpy.context.view_layer.objects.active = stranger
    bpy.ops.mouthpiece.choose_rig()
    offered = addon.interface.mapping._names_of(stranger.mouthpiece_mapping.rows[0], bpy.context, "")
    assert offered == [*NAMES, "teeth 9"]


def test_save_and_load_on_another_character(addon, stranger, tmp_path):
    bpy.ops.mouthpiece.choose_rig()
    rows(stranger)["jawOpen"].shown_by = "qx01"
    rows(stranger)["mouthClose"].is_on = False
    path = tmp_path / "My Hero 2"
    assert bpy.ops.mouthpiece.save_rig_profile(filepath=str(path)) == {"FINISHED"}
    saved = json.loads(path.with_name("My Hero 2.json").read_text(encoding="utf-8"))
    assert (saved["id"], saved["title"], saved["extends"]) == ("my_hero_2", "My Hero 2", "arkit")

    other = add_character(NAMES, "Other")
    assert bpy.ops.mouthpiece.load_rig_profile(filepath=str(path.with_name("My Hero 2.json"))) == {"FINISHED"}
    assert rows(other)["jawOpen"].shown_by == "qx01"
    assert not rows(other)["mouthClose"].is_on
    assert addon.rig.face.face_of(other).match.found == {"jawOpen": "qx01"}


def test_a_profile_that_fits_nothing_changes_nothing(addon, stranger, tmp_path):
    path = tmp_path / "vrm.json"
    path.write_text(json.dumps({"id": "a", "title": "A", "extends": "vrm1", "names": {"aa": "gone"}}), encoding="utf-8")
    with pytest.raises(RuntimeError, match="has nothing of the rig profile “A”"):
        bpy.ops.mouthpiece.load_rig_profile(filepath=str(path))
    assert not addon.rig.face.carried(stranger)
    assert not rows(stranger)


def test_a_folder_that_cannot_be_written_is_one_sentence(stranger, tmp_path):
    bpy.ops.mouthpiece.choose_rig()
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.mouthpiece.save_rig_profile(filepath=str(tmp_path / "no such folder" / "a.json"))


def test_forgetting_brings_recognition_back(addon):
    head = add_character(("jawOpen",))
    bpy.ops.mouthpiece.choose_rig(convention="vrm1")
    assert not bpy.ops.mouthpiece.generate.poll()
    assert bpy.ops.mouthpiece.recognise_rig() == {"FINISHED"}
    assert not addon.rig.face.carried(head) and not rows(head)
    assert addon.rig.face.face_of(head).match.profile.id == "arkit"
    assert not bpy.ops.mouthpiece.recognise_rig.poll()


def test_the_list_survives_saving(addon, stranger, tmp_path):
    bpy.ops.mouthpiece.choose_rig()
    rows(stranger)["jawOpen"].shown_by = "qx02"
    path = str(tmp_path / "stranger.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    stranger = bpy.data.objects["Stranger"]
    assert rows(stranger)["jawOpen"].shown_by == "qx02"
    assert addon.rig.face.face_of(stranger).match.found == {"jawOpen": "qx02"}


def test_a_custom_property_out_of_an_older_file_is_read(addon, stranger):
    mine = addon.rig.profile.by_hand(addon.rig.profile.shipped("vrm1"), {"aa": "qx01"}, {})
    stranger[addon.rig.face.PROPERTY] = addon.rig.profile.dump(mine)
    assert addon.rig.face.face_of(stranger).match.found == {"aa": "qx01"}
    assert bpy.ops.mouthpiece.choose_rig() == {"FINISHED"}
    rows(stranger)["aa"].shown_by = "qx02"
    assert addon.rig.face.face_of(stranger).match.found == {"aa": "qx02"}
    assert bpy.ops.mouthpiece.recognise_rig() == {"FINISHED"}
    assert not addon.rig.face.carried(stranger)
