# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that cannot work is refused with one sentence that says what to do, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, append_linked, strips_of, tone


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    """A shot that would work."""
    use_fake("clicks")
    strip = add_strip(scene, tone(tmp_path / "line.wav", 1.0))
    return strip, add_character()


def refusal() -> str:
    """What the operator says; nothing may have been written."""
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.mouthpiece.generate()
    assert len(bpy.data.actions) == 0
    assert len(bpy.data.scenes) == 1
    return str(caught.value)


def test_shot_works_as_it_is(shot):
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}


def test_no_sound_at_all(scene, use_fake):
    use_fake("clicks")
    add_character()
    assert "There is no sound in the Sequencer yet. Add your recording" in refusal()


def test_no_strip(shot, scene):
    scene.sequence_editor.active_strip = None
    assert "Select a sound strip in the Sequencer" in refusal()


def test_active_strip_is_no_sound(shot, scene):
    scene.sequence_editor.active_strip = strips_of(scene).new_meta("title", 3, 1)
    assert "Select a sound strip in the Sequencer" in refusal()


def test_strip_of_another_name(shot, scene):
    scene.mouthpiece.strip = "gone"
    assert "no sound strip named “gone”. It has: line." in refusal()


def test_no_character(shot):
    bpy.context.view_layer.objects.active = None
    assert "Select the character" in refusal()


def test_object_without_shape_keys(shot):
    light = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    bpy.context.scene.collection.objects.link(light)
    bpy.context.view_layer.objects.active = light
    assert "“Lamp” has no shape keys." in refusal()


def test_object_whose_keys_match_nothing(shot):
    add_character(("Key 1", "belly", "あ"), "Balloon")
    assert "No shape key of “Balloon” has a name that Mouthpiece knows" in refusal()


def test_absolute_shape_keys(shot):
    _, head = shot
    head.data.shape_keys.use_relative = False
    assert "are absolute" in refusal()


def test_linked_object(shot, tmp_path):
    bpy.context.view_layer.objects.active = append_linked("Guest", tmp_path / "library.blend")
    assert "The shape keys of “Guest” are linked from another file" in refusal()


def test_library_override_of_the_object_alone(shot, tmp_path):
    guest = append_linked("Guest", tmp_path / "library.blend").override_create()
    bpy.context.scene.collection.objects.link(guest)
    bpy.context.view_layer.objects.active = guest
    assert "linked from another file" in refusal()


def test_tweak_mode(shot):
    _, head = shot
    data = head.data.shape_keys.animation_data_create()
    key = head.data.shape_keys.key_blocks["jawOpen"]
    key.keyframe_insert("value", frame=1)
    data.nla_tracks.new().strips.new("walk", 1, data.action)
    data.action = None
    data.use_tweak_mode = True
    with pytest.raises(RuntimeError, match="tweak mode"):
        bpy.ops.mouthpiece.generate()


def test_missing_sound(shot, tmp_path):
    (tmp_path / "line.wav").unlink()
    assert f"The sound file of the strip “line” is missing: {tmp_path / 'line.wav'}" in refusal()


def test_sound_that_is_a_folder(shot, tmp_path):
    strip, _ = shot
    strip.sound.filepath = str(tmp_path)
    assert "is missing" in refusal()


def test_text_file_named_wav(shot, scene, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("This is no sound.\n" * 100)
    add_strip(scene, text, name="text", frame=100, channel=3)
    assert "no format that Blender can read" in refusal()


def test_empty_file(shot, scene, tmp_path):
    (tmp_path / "empty.wav").touch()
    add_strip(scene, tmp_path / "empty.wav", name="empty", frame=100, channel=3)
    assert "no format that Blender can read" in refusal()


def test_video_file_that_nobody_can_read(shot, tmp_path):
    strip, _ = shot
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00\x00\x00\x20ftypisom and then nothing")
    strip.sound.filepath = str(broken)
    assert "no format that Blender can read" in refusal()


def test_backend_refuses(shot, use_fake, scene):
    use_fake("fails")
    scene.mouthpiece.model = "someone"
    assert "There is no model named someone." in refusal()


def test_no_python_for_the_backend(shot, addon, monkeypatch):
    monkeypatch.delenv(addon.environment.VARIABLE)
    assert "The backend is not installed yet." in refusal()


def test_python_that_is_not_there(shot, addon, monkeypatch, tmp_path):
    monkeypatch.setenv(addon.environment.VARIABLE, str(tmp_path / "bin" / "python"))
    assert "is not there or cannot be run" in refusal()


def test_program_that_is_no_backend(shot, addon, monkeypatch):
    monkeypatch.setattr(addon.environment, "serve_command", lambda python, extension: ("/bin/echo", "hello"))
    assert "The backend stopped unexpectedly" in refusal()


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("no torch", "The backend's Python has no torch."),
        ("no numpy", "The backend's Python has no numpy."),
        ("other version", "The backend speaks version 999 of the protocol"),
        ("garbage", "The backend stopped unexpectedly"),
        ("gap", "The backend sent"),
    ],
)
def test_backend_that_cannot_work(shot, use_fake, mode, sentence):
    use_fake(mode)
    assert sentence in refusal()


def test_same_sentence_is_in_the_panel(shot, addon, tmp_path):
    Path(tmp_path / "line.wav").unlink()
    refusal()
    bpy.context.view_layer.objects.active = None
    assert addon.interface.properties.why_not(bpy.context) == "Select the character, or choose it here."
