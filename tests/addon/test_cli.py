# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: exit codes, reports and what is saved."""

from __future__ import annotations

import json

import bpy
import pytest

from tests.addon.stage import add_armature, add_character, add_strip, tone


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)), name="Zeile 1")
    add_character(name="Anna Müller")
    path = tmp_path / "shot ä.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def opened(path) -> bpy.types.Object:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.data.objects["Anna Müller"]


def test_result_goes_into_the_named_file(shot, addon, capfd, tmp_path):
    before = shot.read_bytes()
    out = tmp_path / "out.blend"
    names = ["--strip", "Zeile 1", "--object", "Anna Müller", "--action", "mouth"]
    assert addon.cli.run(["generate", *names, "--output", str(out), "--json"]) == 0
    report = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert report["ok"]
    assert (report["actions"], report["first_frame"], report["last_frame"]) == (["mouth"], 1, 24)
    assert report["saved"] == str(out)
    assert report["shape_keys"] == ["eyeBlinkLeft", "jawOpen", "mouthClose"]
    assert opened(out).data.shape_keys.animation_data.action.name == "mouth"
    assert shot.read_bytes() == before


def test_without_output_the_shot_itself_is_saved(shot, addon, capfd):
    assert addon.cli.run(["generate"]) == 0
    assert f"Saved {shot}" in capfd.readouterr().out
    assert opened(shot).data.shape_keys.animation_data.action.name == "Mouthpiece Zeile 1 Anna Müller"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strip", "gone"], "no sound strip named “gone”. It has: Zeile 1."),
        (["--object", "gone"], "There is no object named “gone”."),
        (["--output", "/no/such/folder/out.blend"], "The folder of /no/such/folder/out.blend does not exist."),
        (["--output", "out.txt"], "“out.txt” must end in .blend."),
        (["--phones", "line.doc"], "“line.doc” must end in .TextGrid or .json."),
        (["--phones", "/no/such/folder/line.json"], "The folder of /no/such/folder/line.json does not exist."),
        (["--strip", "Zeile 1", "--audio", "line.wav"], "A strip and a sound file are both named."),
        (["--strength", "nan"], "The strength is nan; choose 0 to 10."),
        (["--strength", "loud"], "Argument --strength: invalid float value: 'loud'; see"),
        (["--regions", "mouth=wide"], "“mouth=wide” is no region with its strength."),
        (["--regions", "mouth=inf"], "The strength of a region is 0 to 10."),
        (["--smooth", "nan"], "Blend, smoothing and tolerance are 0 or more"),
        (["--emotion", "happy=very"], "“happy=very” is no emotion with its weight."),
        (["--profile", "gone.json"], "“gone.json” cannot be read: No such file or directory."),
    ],
)
def test_bad_input_is_exit_code_2(shot, addon, capfd, arguments, sentence):
    before = shot.read_bytes()
    assert addon.cli.run(["generate", *arguments]) == 2
    captured = capfd.readouterr()
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert shot.read_bytes() == before


def test_errors_as_json(shot, addon, capfd):
    assert addon.cli.run(["generate", "--strip", "gone", "--json"]) == 2
    said = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert said["ok"] is False
    assert "“gone”" in said["error"]


def test_failed_run_is_exit_code_1(shot, addon, use_fake, capfd):
    use_fake("crash")
    before = shot.read_bytes()
    assert addon.cli.run(["generate"]) == 1
    assert "The backend stopped unexpectedly" in capfd.readouterr().err
    assert shot.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["sing"], ["generate", "--loudly"], ["generate", "--mode", "sing"]])
def test_wrong_arguments_are_exit_code_2_and_in_the_report(addon, capfd, arguments):
    assert addon.cli.run([*arguments, "--json"]) == 2
    captured = capfd.readouterr()
    sentence = json.loads(captured.out)["error"]
    assert captured.err == f"error: {sentence}\n"
    assert sentence.endswith("--help.")


def test_what_blender_says_of_a_failed_save_becomes_one_sentence(shot, addon, capfd, tmp_path):
    for name in ("taken.blend", "taken.blend1"):  # Blender would move a folder away as it does an older version
        (tmp_path / name / "full").mkdir(parents=True)
    assert addon.cli.run(["generate", "--output", str(tmp_path / "taken.blend")]) == 1
    sentence = capfd.readouterr().err
    assert sentence.startswith("error: The shot could not be saved: ")
    assert "Error" not in sentence
    assert sentence.count("\n") == 1


def test_help_is_exit_code_0(addon, capfd):
    assert addon.cli.run(["generate", "--help"]) == 0
    assert "--strip NAME" in capfd.readouterr().out


def test_shot_that_was_never_saved_needs_an_output(scene, addon, capfd, use_fake):
    use_fake("clicks")
    assert addon.cli.run(["generate"]) == 2
    assert "--output" in capfd.readouterr().err


def test_more_than_one_character_has_to_be_named(shot, addon, capfd):
    add_character(name="Bert")
    bpy.context.view_layer.objects.active = None
    assert addon.cli.run(["generate"]) == 2
    assert "Anna Müller, Bert. Name one with --object." in capfd.readouterr().err


# --- strips in one scene, characters in another, as Blender 5 has it ---


@pytest.fixture
def edit(shot) -> bpy.types.Scene:
    """The strip lies in a scene of its own, which is not the one that the viewport shows."""
    edit = bpy.data.scenes.new("Edit")
    edit.sequence_editor_create()
    edit.render.fps = 24
    add_strip(edit, tone(shot.parent / "cut.wav", 1.0, (0.5,)), name="Schnitt 1")
    bpy.context.scene.sequence_editor_clear()
    bpy.ops.wm.save_mainfile()
    return edit


@pytest.mark.parametrize("arguments", [[], ["--strip", "Schnitt 1"], ["--scene", "Edit"]])
def test_strip_is_found_in_another_scene_than_the_character(edit, shot, addon, capfd, arguments):
    assert addon.cli.run(["generate", *arguments]) == 0
    assert opened(shot).data.shape_keys.animation_data.action.name == "Mouthpiece Schnitt 1 Anna Müller"


@pytest.mark.parametrize("arguments", [[], ["--strip", "Schnitt 1"], ["--scene", "Edit"]])
def test_clip_is_exported_from_another_scene_than_the_character(edit, shot, addon, capfd, arguments):
    head = bpy.data.objects["Anna Müller"]
    for frame, value in ((1, 0.0), (24, 1.0)):
        head.data.shape_keys.key_blocks["jawOpen"].value = value
        head.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=frame)
    folder = str(shot.parent / "clips")
    assert addon.cli.run(["export-clip", "--object", head.name, "--output", folder, *arguments]) == 0
    assert "“Schnitt 1”: 1.0 s of jawOpen" in capfd.readouterr().out


def test_character_is_found_in_a_scene_that_nobody_looks_at(edit, shot, addon, capfd):
    scene = bpy.context.scene
    stage = bpy.data.scenes.new("Stage")
    head = bpy.data.objects["Anna Müller"]
    stage.collection.objects.link(head)
    scene.collection.objects.unlink(head)
    assert addon.cli.run(["generate"]) == 0
    assert opened(shot).data.shape_keys.animation_data.action.name == "Mouthpiece Schnitt 1 Anna Müller"


def test_two_scenes_with_the_strip_are_named(edit, shot, addon, capfd):
    other = edit.copy()
    other.name = "Edit 2"
    assert addon.cli.run(["generate", "--strip", "Schnitt 1"]) == 2
    sentence = "More than one scene has a sound strip named “Schnitt 1”: Edit, Edit 2. Name one with --scene."
    assert sentence in capfd.readouterr().err
    assert addon.cli.run(["generate"]) == 2
    assert "More than one scene has sound strips: Edit, Edit 2. Name one with --scene." in capfd.readouterr().err
    assert addon.cli.run(["generate", "--strip", "Schnitt 1", "--scene", "Edit 2"]) == 0


def test_the_scene_that_is_shown_goes_before_its_copies(shot, addon, capfd):
    bpy.context.scene.copy()
    assert addon.cli.run(["generate", "--strip", "Zeile 1"]) == 0


def test_scene_that_is_not_there(shot, addon, capfd):
    assert addon.cli.run(["generate", "--scene", "gone"]) == 2
    assert "There is no scene named “gone”." in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["ARMATURE", "MESH"])
def test_a_part_of_the_active_character_stands_for_it(shot, addon, capfd, kind):
    """An artist has the armature or the body active rather than the head."""
    rig = add_armature(("spine", (0, 0, 0), (0, 0, 1)))
    bpy.data.objects["Anna Müller"].parent = rig
    add_character(name="Bert")
    body = bpy.data.objects.new("Body", bpy.data.meshes.new("Body"))
    bpy.context.scene.collection.objects.link(body)
    body.parent = rig
    bpy.context.view_layer.objects.active = rig if kind == "ARMATURE" else body
    assert addon.cli.run(["generate"]) == 0
    assert "Anna Müller" in capfd.readouterr().out
