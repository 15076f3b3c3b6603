# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence at the end names what really moves."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone
from tests.addon.test_characters import jaw, skin


@pytest.fixture
def spoken(addon, scene, use_fake, tmp_path):
    """What is said after a character has spoken a line of 24 frames."""
    use_fake("clicks")
    strip = add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))

    def spoken(character: bpy.types.Object, **choices: str):
        choice = addon.choice.Choice(scene.name, strip.name, character.name, **choices)
        return addon.job.generate_lip_sync(choice, addon.preferences.launch(), addon.session.current)

    return spoken


def test_shape_keys(spoken):
    assert spoken(add_character()).sentence == "“Head” speaks: 3 shape keys, frames 1 to 24."
    assert spoken(add_character(("jawOpen",), "Bert")).sentence == "“Bert” speaks: 1 shape key, frames 1 to 24."


def test_bone(spoken):
    report = spoken(jaw())
    assert report.driven == {"bone": 1}, "four channels of one rotation are one bone"
    assert report.sentence == "“Rig” speaks: 1 bone, frames 1 to 24."


def test_properties_that_drive_shape_keys(spoken):
    armature = jaw("spine")
    for name in ["AA", "EE", "EH", "ER", "F", "IH", "IY", "K", "L", "M", "OW", "S"]:
        armature[f"eCTRLv{name}"] = 0.0
    mesh = skin(add_character(("eCTRLvAA",)), armature)
    mesh.data.shape_keys.driver_add('key_blocks["eCTRLvAA"].value')
    report = spoken(mesh)
    assert set(report.driven) == {"property"}
    assert f"speaks: {report.driven['property']} properties, frames" in report.sentence


def test_shape_keys_and_a_bone(spoken):
    names = ("sil", "pp", "ff", "th", "dd", "kk", "ch", "ss", "nn", "rr", "aa", "e", "ih", "oh", "ou")
    mesh = skin(add_character(tuple(f"vrc.v_{name}" for name in names)), jaw("Jaw"))
    report = spoken(mesh, profile="jaw_visemes")
    assert report.driven["bone"] == 1
    assert f"{report.driven['shape key']} shape keys and 1 bone, frames 1 to 24." in report.sentence
