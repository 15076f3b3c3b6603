# SPDX-License-Identifier: GPL-3.0-or-later
"""Job files: many shots in one run; a shot that fails stays as it was, and does not stop the others."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, break_once, curves_of, tone


@pytest.fixture
def shots(use_fake, tmp_path):
    """Two shots with Anna and Bert, each with a strip on a channel of their names, and a job file."""
    use_fake("clicks")
    for number in (1, 2):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        scene.sequence_editor_create()
        for channel, name in ((1, "Anna"), (2, "Bert")):
            add_strip(scene, tone(tmp_path / f"{name}.wav", 1.0, (0.5,)), f"{name.lower()}_{number:03}", 1, channel)
            scene.sequence_editor.channels[channel].name = f"{name} voice"
            add_character(name=name)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / f"shot {number}.blend"))
    return tmp_path


@pytest.fixture
def batch(addon, shots, capfd):
    """Run a job file; gives the exit code and the report."""

    def batch(text: str, *options: str):
        jobs = shots / "jobs.toml"
        jobs.write_text(text, encoding="utf-8")
        code = addon.cli.run(["batch", str(jobs), "--json", *options])
        return code, json.loads(capfd.readouterr().out.splitlines()[-1])

    return batch


def speakers(path) -> dict[str, str]:
    """Who speaks in a saved shot: character → action."""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    keys = {thing.name: thing.data.shape_keys.animation_data for thing in bpy.data.objects}
    return {name: data.action.name for name, data in keys.items() if data and data.action}


def test_shots_by_rule_and_by_lines(batch, shots):
    code, report = batch(
        """
        [defaults]
        step = 2
        [[shots]]
        file = "shot 1.blend"
        by = "name"
        [[shots]]
        file = "shot 2.blend"
        output = "spoken 2.blend"
        regions = "jaw"
        [[shots.lines]]
        strip = "bert_002"
        object = "Anna"
        [[shots.lines]]
        audio = "Bert.wav"
        first_frame = 101
        object = "Bert"
        """
    )
    assert (code, report["ok"], report["left"]) == (0, True, 0)
    assert [line["character"] for line in report["shots"][0]["lines"]] == ["Anna", "Bert"]
    assert [line["shape_keys"] for line in report["shots"][1]["lines"]] == [["jawOpen"], ["jawOpen"]]
    assert (report["shots"][1]["lines"][1]["first_frame"], report["shots"][1]["lines"][1]["strip"]) == (101, "Bert")
    assert speakers(shots / "shot 1.blend") == {
        "Anna": "Mouthpiece anna_001 Anna",
        "Bert": "Mouthpiece bert_001 Bert",
    }
    assert speakers(shots / "shot 2.blend") == {}
    assert speakers(shots / "spoken 2.blend")["Bert"] == "Mouthpiece Bert Bert"
    action = bpy.data.actions["Mouthpiece Bert Bert"]
    assert [frame for frame, _ in curves_of(action)["jawOpen"]] == list(range(101, 125, 2))


def test_files_count_from_the_job_files_folder(batch, shots):
    (shots / "hero.json").write_text('{"id": "hero", "title": "Hero", "extends": "arkit"}', encoding="utf-8")
    line = '[[shots]]\nfile = "shot 1.blend"\n[[shots.lines]]\nstrip = "anna_001"\nobject = "Anna"\n'
    code, report = batch(line + 'profile = "hero.json"')
    assert (code, report["ok"]) == (0, True)
    code, report = batch(line + 'profile = "villain.json"')
    assert code == 1
    assert "“villain.json” cannot be read" in report["shots"][0]["error"]


BROKEN = """
[[shots]]
file = "shot 1.blend"
[[shots.lines]]
strip = "anna_001"
object = "Anna"
[[shots.lines]]
strip = "gone"
object = "Bert"
[[shots]]
file = "missing.blend"
[[shots]]
file = "shot 2.blend"
by = "channel"
"""


def test_failed_shots_stay_as_they_were_and_stop_nothing(batch, shots):
    before = (shots / "shot 1.blend").read_bytes()
    code, report = batch(BROKEN)
    assert code == 1
    assert [shot["ok"] for shot in report["shots"]] == [False, False, True]
    assert "“gone”" in report["shots"][0]["error"]
    assert "cannot be opened" in report["shots"][1]["error"]
    assert (shots / "shot 1.blend").read_bytes() == before
    assert set(speakers(shots / "shot 2.blend")) == {"Anna", "Bert"}


def test_fault_that_nobody_foresaw_stops_no_other_shot(addon, batch, shots, monkeypatch):
    break_once(monkeypatch, addon.placing.Placing, "apply")
    code, report = batch(THREE, "--shots", "1-2")
    assert (code, [shot["ok"] for shot in report["shots"]]) == (1, [False, True])
    assert "unexpected happened: ZeroDivisionError" in report["shots"][0]["error"]
    assert set(speakers(shots / "shot 1.blend")) == set()


def test_stop_at_the_first_failure(batch, shots):
    before = (shots / "shot 2.blend").read_bytes()
    code, report = batch(BROKEN, "--stop")
    assert (code, len(report["shots"]), report["left"]) == (1, 1, 2)
    assert (shots / "shot 2.blend").read_bytes() == before


THREE = "".join(
    f'[[shots]]\nfile = "shot {number}.blend"\nstrip = "anna_00{number}"\nobject = "Anna"\n' for number in (1, 2, 3)
)


def test_only_the_shots_that_are_asked_for(batch, shots):
    before = (shots / "shot 1.blend").read_bytes()
    code, report = batch(THREE, "--shots", "2")
    assert (code, [Path(shot["saved"]).name for shot in report["shots"]]) == (0, ["shot 2.blend"])
    assert (shots / "shot 1.blend").read_bytes() == before
    code, report = batch(THREE, "--shots", "1-2, 3")
    assert (code, [shot["ok"] for shot in report["shots"]]) == (1, [True, True, False])


@pytest.mark.parametrize("numbers", ["0", "2-1", "4", "1-9999999999", "all", "1,"])
def test_shots_that_are_not_there(batch, shots, numbers):
    code, report = batch(THREE, "--shots", numbers)
    assert code == 2
    assert f"--shots is {numbers}" in report["error"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[defaults]\nphones = "a.json"\n' + THREE, "a.json would be written more than once. Give each"),
        (
            '[[shots]]\nfile = "a.blend"\nby = "name"\nphones = "a.json"',
            "a.json would be written more than once. Give each",
        ),
        (
            '[[shots]]\nfile = "a.blend"\nexport = "a.json"\nphones = "./a.json"',
            "a.json would be written more than once. Give each",
        ),
        ("", "needs [[shots]]"),
        ("not toml", "cannot be read"),
        ('[[shots]]\nby = "name"', "has no `file`"),
        ("[[shots]]\nfile = 3", "has no `file`"),
        ("shots = [3]", "needs [[shots]]"),
        ("defaults = 3\n[[shots]]", "needs [[shots]]"),
        ('[[shots]]\nfile = "a.blend"\nlines = 3', "The `lines` of a.blend are no list."),
        ('[[shots]]\nfile = "a.blend"\noutput = "a.txt"', "“a.txt” must end in .blend."),
        ('[[shots]]\nfile = "a.blend"\nstrength = nan', "The strength is nan; choose 0 to 10."),
        ('[[shots]]\nfile = "a.blend"\nregions = "nose"', "no region named “nose”"),
        ('[[shots]]\nfile = "a.blend"\nphones = "a.doc"', "“a.doc” must end in .TextGrid or .json."),
        ('[[shots]]\nfile = "a.blend"\nby = "luck"', "cannot be found by “luck”"),
        ('[[shots]]\nfile = "a.blend"\nloudness = 3', "says “loudness”"),
        ('[[shots]]\nfile = "a.blend"\nstrength = "much"', "strength = 'much'"),
        ('[[shots]]\nfile = "a.blend"\nby = "name"\n[[shots.lines]]\nstrip = "a"', "both `by` and `lines`"),
    ],
)
def test_job_file_that_cannot_be_meant_begins_nothing(batch, shots, text, sentence):
    before = [(shots / f"shot {number}.blend").read_bytes() for number in (1, 2)]
    code, report = batch(text)
    assert code == 2
    assert sentence in report["error"]
    assert [(shots / f"shot {number}.blend").read_bytes() for number in (1, 2)] == before


def cut(path: Path, *titles: str) -> None:
    """Move a shot's strips into scenes of these names, which the viewport does not show."""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    for title in titles:
        edit = bpy.context.scene.copy()
        edit.name, edit.use_fake_user = title, True  # a copy that nothing uses is not saved
        for thing in edit.collection.objects[:]:
            edit.collection.objects.unlink(thing)
    bpy.context.scene.sequence_editor_clear()
    bpy.ops.wm.save_mainfile()


@pytest.mark.parametrize("line", ['by = "name"', 'by = "channel"', 'strip = "anna_001"\nobject = "Anna"'])
def test_strips_in_another_scene_than_the_characters(batch, shots, line):
    cut(shots / "shot 1.blend", "Edit")
    code, report = batch(f'[[shots]]\nfile = "shot 1.blend"\n{line}')
    assert (code, report["shots"][0]["error"]) == (0, "")
    assert speakers(shots / "shot 1.blend")["Anna"] == "Mouthpiece anna_001 Anna"


@pytest.mark.parametrize("line", ['by = "name"', 'strip = "anna_001"\nobject = "Anna"'])
def test_a_job_file_names_one_of_several_scenes(batch, shots, line):
    cut(shots / "shot 1.blend", "Edit", "Edit 2")
    shot = f'[[shots]]\nfile = "shot 1.blend"\n{line}\n'
    code, report = batch(shot)
    assert code == 1
    assert ": Edit, Edit 2. Name one with --scene." in report["shots"][0]["error"]
    code, report = batch(f'{shot}scene = "Edit 2"')
    assert (code, report["shots"][0]["error"]) == (0, "")
