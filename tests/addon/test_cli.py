# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: exit codes, reports and what is saved."""

from __future__ import annotations

import json

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone


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
