# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons: one undo step, and a plain sentence whenever one is disabled."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, curves_of, tone


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)))
    return add_character()


def click() -> None:
    """A click on Generate: unlike a call from a script, it takes part in undo."""
    assert bpy.ops.mouthpiece.generate("EXEC_DEFAULT", True) == {"FINISHED"}


def test_undo_is_one_step(shot):
    bpy.ops.ed.undo_push(message="nothing")
    shot["note"] = "before"
    bpy.ops.ed.undo_push(message="before")
    click()
    assert len(bpy.data.actions) == 1
    bpy.ops.ed.undo()
    head = bpy.data.objects["Head"]
    assert head["note"] == "before"
    assert len(bpy.data.actions) == 0
    assert head.data.shape_keys.animation_data is None
    bpy.ops.ed.redo()
    assert bpy.data.objects["Head"].data.shape_keys.animation_data.action.name == "Mouthpiece line Head"


def test_undo_after_generating_again_gives_the_first_keys_back(shot, scene):
    bpy.ops.ed.undo_push(message="nothing")
    click()
    first = curves_of(bpy.data.actions[0])
    scene.sequence_editor.active_strip.frame_start = 50
    bpy.ops.ed.undo_push(message="moved")
    click()
    assert curves_of(bpy.data.actions[0]) != first
    bpy.ops.ed.undo()
    assert curves_of(bpy.data.actions[0]) == first
    assert len(bpy.data.actions) == 1


def test_disabled_button_says_why(shot, scene, addon):
    assert bpy.ops.mouthpiece.generate.poll()
    scene.mouthpiece.strip = "gone"
    assert not bpy.ops.mouthpiece.generate.poll()
    assert addon.interface.properties.why_not(bpy.context) == (
        "The scene “Scene” has no sound strip named “gone”. It has: line."
    )


def test_chosen_strip_and_character_go_before_the_active_ones(shot, scene, tmp_path):
    other = add_character(name="Anna")
    add_strip(scene, tone(tmp_path / "b.wav", 0.5), name="other", channel=2)
    scene.mouthpiece.strip = "line"
    scene.mouthpiece.character = shot
    bpy.ops.mouthpiece.generate()
    assert other.data.shape_keys.animation_data is None
    assert len(curves_of(shot.data.shape_keys.animation_data.action)["jawOpen"]) == 24


def test_character_that_was_deleted_speaks_no_more(shot, scene, addon):
    """What a choice names stays in the file, though in no scene."""
    scene.mouthpiece.character = shot
    shot.select_set(True)
    bpy.ops.object.delete()
    assert scene.mouthpiece.character == shot
    assert not bpy.ops.mouthpiece.generate.poll()
    sentence = "“Head” is no longer in the scene. Choose another character."
    assert addon.interface.properties.why_not(bpy.context) == sentence
    bpy.data.collections.new("shown by an instance").objects.link(shot)
    assert bpy.ops.mouthpiece.generate.poll()


def test_strength(shot, scene):
    scene.mouthpiece.strength = 0.5
    bpy.ops.mouthpiece.generate()
    values = [value for _, value in curves_of(bpy.data.actions[0])["mouthClose"]]
    assert (values[0], values[-1]) == pytest.approx((0.05, 0.45), abs=1e-4)


def test_warnings_are_reported(shot, addon):
    shot.data.shape_keys.key_blocks["jawOpen"].mute = True
    bpy.ops.mouthpiece.generate()
    assert addon.runner.current.report.warnings[0].startswith("Muted shape keys do not show: jawOpen.")


def test_choices_are_saved_with_the_shot(shot, scene, tmp_path):
    scene.mouthpiece.character, scene.mouthpiece.style, scene.mouthpiece.strength = shot, "anna", 1.5
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    chosen = bpy.context.scene.mouthpiece
    assert (chosen.character.name, chosen.style, chosen.strength) == ("Head", "anna", 1.5)


def test_keys_survive_saving(shot, tmp_path):
    bpy.ops.mouthpiece.generate()
    keys = curves_of(bpy.data.actions[0])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert curves_of(bpy.data.objects["Head"].data.shape_keys.animation_data.action) == keys


def test_tab_of_a_backend_that_is_not_installed_says_so(addon, monkeypatch):
    monkeypatch.delenv(addon.environment.VARIABLE, raising=False)
    monkeypatch.setattr(addon.preferences, "is_python_set", lambda: False)
    assert addon.interface.status.word_and_icon()[0] == "Not Installed"
    assert "Click Install Backend" in addon.interface.status.sentence()
