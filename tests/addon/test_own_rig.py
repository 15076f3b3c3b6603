# SPDX-License-Identifier: GPL-3.0-or-later
"""A model that was taught a character's own controls writes them by their names, whatever they are."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_armature, add_character, add_strip, curves, tone

TAUGHT = "octopus"


@pytest.fixture
def strip(scene, tmp_path, use_fake):
    use_fake("sliders")
    return add_strip(scene, tone(tmp_path / "line.wav", 2.0, (0.5,)), frame=11)


@pytest.fixture
def generate(addon, scene, strip):
    def generate(character: bpy.types.Object, model: str = TAUGHT):
        choice = addon.choice.Choice(scene.name, strip.name, character.name, model=model)
        return addon.job.generate_lip_sync(choice, addon.preferences.launch(), addon.session.current)

    return generate


@pytest.fixture
def puppet(scene) -> bpy.types.Object:
    """An armature with a slider of its own, one on a bone, and a bone that could be one."""
    rig = add_armature(*((name, (0, 0, 0), (0, 1, 0)) for name in ("CTRL", "Bone")), name="Puppet")
    rig["Open"], rig["Smile"], rig.pose.bones["CTRL"]["Brow"] = 0.0, 0.0, 0.0
    rig.id_properties_ui("Smile").update(min=-1.0, max=0.5)
    return rig


def keys(action: bpy.types.Action) -> dict[str, np.ndarray]:
    return {curve.data_path: np.array([point.co.y for point in curve.keyframe_points]) for curve in curves(action)}


def test_properties_of_object_and_bones_are_keyed_within_their_ranges(generate, puppet):
    report = generate(puppet)
    assert report.missing == ()
    written = keys(puppet.animation_data.action)
    assert written.keys() == {'["Open"]', '["Smile"]', 'pose.bones["CTRL"]["Brow"]'}
    assert len(written['["Open"]']) == 48
    assert np.argmax(written['["Open"]']) == 12
    assert written['["Smile"]'].max() == 0.5
    assert written['pose.bones["CTRL"]["Brow"]'].max() == pytest.approx(0.9)
    assert [warning for warning in report.warnings if "slider range cuts the motion" not in warning] == []


def test_shape_keys_of_any_names_are_keyed_and_those_of_other_meshes_too(generate, scene):
    names = ("Open", "Smile", "Wave")
    character = add_character(names)
    character["CTRL:Brow"] = 0.0
    teeth = add_character(("Open",), name="Teeth")
    teeth.parent = character
    bpy.context.view_layer.objects.active = character
    report = generate(character)
    assert not report.warnings
    written = keys(character.data.shape_keys.animation_data.action)
    assert written.keys() == {'key_blocks["Open"].value', 'key_blocks["Smile"].value'}
    assert keys(character.animation_data.action).keys() == {'["CTRL:Brow"]'}
    assert keys(teeth.data.shape_keys.animation_data.action).keys() == {'key_blocks["Open"].value'}


def test_a_property_that_drives_the_shape_key_of_its_name_is_keyed_instead(generate):
    character = add_character(("Open", "Smile"))
    character["Open"], character["CTRL:Brow"] = 0.0, 0.0
    driver = character.data.shape_keys.key_blocks["Open"].driver_add("value").driver
    driver.type = "AVERAGE"
    target = driver.variables.new().targets[0]
    target.id, target.data_path = character, '["Open"]'
    assert not generate(character).warnings
    assert '["Open"]' in keys(character.animation_data.action)
    assert keys(character.data.shape_keys.animation_data.action).keys() == {'key_blocks["Smile"].value'}


def test_bones_channels_are_keyed(addon, puppet):
    puppet.pose.bones["Bone"].rotation_mode = "XYZ"
    names = ("Bone:rotation_euler.y", "Bone:location.z", "Open", "CTRL:rotation_quaternion.z")
    values = np.linspace(0, 1, 20, dtype=np.float32)[:, None] * np.ones(4, np.float32)
    motion = addon.motion.Motion(names, values, 24.0, "octopus", {})
    own = addon.rig.own
    assert own.is_taught(puppet, names)
    found = {(curve.data_path, curve.index) for curve in own.curves_of(puppet, motion)}
    assert found == {
        ('pose.bones["Bone"].rotation_euler', 1),
        ('pose.bones["Bone"].location', 2),
        ('["Open"]', 0),
        ('pose.bones["CTRL"].rotation_quaternion', 3),
    }


def test_a_character_without_these_controls_is_one_sentence(addon, generate, puppet):
    del puppet["Smile"]
    with pytest.raises(addon.errors.BadInput, match="has a name that Mouthpiece knows"):
        generate(puppet)
    assert puppet.animation_data is None


def test_the_shipped_model_refuses_unknown_controls_before_anything_begins(addon, scene, strip, puppet):
    choice = addon.choice.Choice(scene.name, strip.name, puppet.name)
    with pytest.raises(addon.errors.BadInput, match="has a name that Mouthpiece knows"):
        addon.job.cast(choice)
    assert addon.session.current.state is addon.session.State.IDLE


def test_arkit_is_left_to_the_profiles(addon):
    character = add_character(("jawOpen", "mouthClose"))
    assert not addon.rig.own.is_taught(character, ("jawOpen", "mouthClose"))
    assert addon.rig.own.is_taught(add_character(("jawOpen", "Wave")), ("jawOpen", "Wave"))
