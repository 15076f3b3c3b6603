# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Training Clip as a command and as a button."""

from __future__ import annotations

import json

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone


@pytest.fixture
def shot(scene, tmp_path):
    """A saved shot in which a shape key and a custom property move."""
    add_strip(scene, tone(tmp_path / "line.wav", 1.0), name="Zeile 1")
    character = add_character(("Open",), name="Anna Müller")
    for frame, value in ((1, 0.0), (24, 1.0)):
        character.data.shape_keys.key_blocks["Open"].value = character["Smile"] = value
        character.data.shape_keys.key_blocks["Open"].keyframe_insert("value", frame=frame)
        character.keyframe_insert('["Smile"]', frame=frame)
    path = tmp_path / "shot ä.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def clips(tmp_path):
    return tmp_path / "my clips" / "anna"


def said(capfd) -> dict:
    return json.loads(capfd.readouterr().out.splitlines()[-1])


def test_the_command_writes_a_clip_and_leaves_the_shot(shot, addon, capfd, clips):
    before = shot.read_bytes()
    arguments = ["--object", "Anna Müller", "--strip", "Zeile 1", "--output", str(clips), "--identity", "Anna"]
    assert addon.cli.run(["export-clip", *arguments, "--json"]) == 0
    report = said(capfd)
    assert report["ok"]
    assert (report["controls"], report["frames"], report["fps"]) == (["Open", "Smile"], 29, 30.0)
    assert (report["identity"], report["space"]) == ("Anna", "Anna_Müller")
    assert sorted(path.name for path in clips.iterdir()) == ["shot_ä-Zeile_1.npz", "shot_ä-Zeile_1.wav"]
    assert shot.read_bytes() == before


def test_what_is_active_is_exported(shot, addon, capfd, clips):
    assert addon.cli.run(["export-clip", "--controls", '["Smile"]', "--output", str(clips)]) == 0
    assert "“Zeile 1”: 1.0 s of Smile of “Anna Müller” are in" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strip", "gone"], "no sound strip named “gone”. It has: Zeile 1."),
        (["--object", "gone"], "There is no object named “gone”."),
        (["--controls", '["gone"]'], "has no control named “gone”. Its shape keys and properties: Open, Smile;"),
        (["--controls", "Open"], "--controls is Open; write a JSON list of names"),
        (["--output", "/dev/null/clips"], "Nothing can be written into the folder /dev/null/clips"),
    ],
)
def test_bad_input_is_exit_code_2(shot, addon, capfd, clips, arguments, sentence):
    assert addon.cli.run(["export-clip", "--output", str(clips), *arguments, "--json"]) == 2
    captured = capfd.readouterr()
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert json.loads(captured.out.splitlines()[-1])["ok"] is False
    assert not list(clips.glob("*"))


# --- the button ---


def test_the_button_says_what_is_missing(shot, scene, addon):
    export, poll = bpy.ops.mouthpiece.export_training_clip, addon.interface.training_clip.ExportTrainingClip.poll
    assert not poll(bpy.context)
    with pytest.raises(RuntimeError, match="Choose the folder of the clips"):
        export()
    scene.mouthpiece_clip.folder = str(shot.parent / "clips")
    assert poll(bpy.context)
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Select the character"):
        export()


def test_the_button_writes_a_clip_beside_the_shot(shot, scene, addon):
    scene.mouthpiece_clip.folder = str(shot.parent / "clips")
    scene.mouthpiece_clip.controls = "Smile, Open"
    assert bpy.ops.mouthpiece.export_training_clip() == {"FINISHED"}
    assert (shot.parent / "clips" / "shot_ä-Zeile_1.npz").is_file()
    progress = addon.interface.training_clip.current
    assert progress.work is None
    assert progress.outcome.startswith("“Zeile 1”: 1.0 s of 2 controls")


def test_piece_by_piece_it_can_be_cancelled(shot, scene, addon):
    scene.mouthpiece_clip.folder = str(shot.parent / "clips")
    progress = addon.interface.training_clip.current
    progress.begin(addon.interface.training_clip._order(bpy.context))
    assert progress.step(1e-6)
    assert bpy.ops.mouthpiece.export_training_clip.poll() is False
    bpy.ops.mouthpiece.cancel_training_clip()
    assert not progress.step(1e-6)
    assert progress.outcome == "Cancelled."
    assert not list((shot.parent / "clips").glob("*"))


def test_what_fails_on_the_way_is_said(shot, scene, addon):
    scene.mouthpiece_clip.folder = str(shot.parent / "clips")
    progress = addon.interface.training_clip.current
    progress.begin(addon.interface.training_clip._order(bpy.context))
    bpy.data.objects.remove(bpy.data.objects["Anna Müller"])
    while progress.step(0.01):
        pass
    assert progress.has_failed
    assert "There is no object named “Anna Müller”." in progress.outcome
