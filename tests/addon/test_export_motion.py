# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion as a file: what the backend itself would write, from the panel and from the command line."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_character, add_strip, tone

ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT / "tests" / "data" / "speech"


@pytest.fixture
def shot(scene, use_fake, tmp_path):
    use_fake("clicks")
    add_strip(scene, tone(tmp_path / "line.wav", 1.0, (0.5,)), name="Zeile 1")
    head = add_character()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    return head


def columns(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return {name: [row[number] for row in rows[1:]] for number, name in enumerate(rows[0])}


def test_live_link_face_take_from_the_panel(addon, shot, tmp_path):
    bpy.ops.mouthpiece.generate()
    bpy.context.scene.mouthpiece.strength = 0.5
    assert bpy.ops.mouthpiece.export_motion(filepath=str(tmp_path / "line.csv")) == {"FINISHED"}
    told = columns(tmp_path / "line.csv")
    assert len(told) == 2 + 61
    jaw = np.array(told["JawOpen"], float)
    assert (len(jaw), jaw.argmax()) == (24, 12)
    assert jaw.max() > 0.8, "the model's own motion, whatever it is written with"
    assert told["Timecode"][12] == "00:00:00:12.000"


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_arrays_from_the_panel_after_the_file_was_closed(addon, shot, tmp_path, ending):
    bpy.ops.mouthpiece.generate()
    motion = addon.runner.current.performances["Scene", "Zeile 1"].motion
    addon.shelf.current.wait()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
    path = tmp_path / f"line.{ending}"
    bpy.ops.mouthpiece.export_motion(filepath=str(path))
    if ending == "npz":
        with np.load(path) as file:
            names, values, fps = file["names"].tolist(), file["values"], float(file["fps"])
    else:
        told = json.loads(path.read_text(encoding="utf-8"))
        names, values, fps = told["names"], np.array(told["values"], np.float32), told["fps"]
    assert (tuple(names), fps) == (motion.names, 24.0)
    np.testing.assert_array_equal(values, motion.values)


def test_nothing_to_export_and_names_that_cannot_be_meant(addon, shot, tmp_path):
    assert not bpy.ops.mouthpiece.export_motion.poll()
    bpy.ops.mouthpiece.generate()
    with pytest.raises(RuntimeError, match="must end in"):
        bpy.ops.mouthpiece.export_motion(filepath=str(tmp_path / "line.bvh"))
    with pytest.raises(RuntimeError, match="does not exist"):
        bpy.ops.mouthpiece.export_motion(filepath=str(tmp_path / "no" / "line.csv"))
    assert [path.name for path in tmp_path.glob("line*")] == ["line.wav"]


def test_from_the_command_line_with_the_keys(addon, shot, tmp_path):
    assert addon.cli.run(["generate", "--export", str(tmp_path / "line.csv")]) == 0
    assert np.array(columns(tmp_path / "line.csv")["JawOpen"], float).argmax() == 12


@pytest.mark.parametrize(("name", "sentence"), [("line.bvh", "must end in"), ("no/line.csv", "does not exist")])
def test_bad_names_are_told_before_anything_begins(addon, shot, tmp_path, capfd, name, sentence):
    before = (tmp_path / "shot.blend").read_bytes()
    assert addon.cli.run(["generate", "--export", str(tmp_path / name)]) == 2
    assert sentence in capfd.readouterr().err
    assert (tmp_path / "shot.blend").read_bytes() == before


def test_of_every_line_of_a_job_file(addon, shot, tmp_path, capfd):
    jobs = tmp_path / "jobs.toml"
    line = '[[shots.lines]]\nstrip = "Zeile 1"\nexport = "{}"\n'
    head = '[[shots]]\nfile = "shot.blend"\n'
    jobs.write_text(head + line.format("a.csv") + line.format("a.csv"), encoding="utf-8")
    assert addon.cli.run(["batch", str(jobs)]) == 2
    assert "a.csv would be written more than once. Give each" in capfd.readouterr().err
    jobs.write_text(head + line.format("a.csv") + line.format("b.json"), encoding="utf-8")
    assert addon.cli.run(["batch", str(jobs)]) == 0
    assert (tmp_path / "a.csv").exists() and (tmp_path / "b.json").exists()


CUT = "import soundfile as s, sys; d, r = s.read(sys.argv[1]); s.write(sys.argv[2], d[: 2 * r], r, subtype='FLOAT')"


def test_the_same_numbers_as_the_backends_own_command(addon, scene, tmp_path):
    """The real model hears two seconds, so whole frames, in a strip and on the backend's command line."""
    python = os.environ["MOUTHPIECE_BACKEND_PYTHON"]
    speech, sound = next(iter(sorted(SPEECH.glob("*.flac")))), str(tmp_path / "line.wav")
    subprocess.run([python, "-c", CUT, str(speech), sound], check=True)
    add_strip(scene, Path(sound))
    add_character()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert addon.cli.run(["generate", "--export", str(tmp_path / "ours.csv")]) == 0
    command = [python, "-m", "backend", "generate", sound, "--fps", "24", "--output", str(tmp_path / "its.csv")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    ours, its = columns(tmp_path / "ours.csv"), columns(tmp_path / "its.csv")
    assert list(ours) == list(its)
    assert (ours["Timecode"], len(ours["Timecode"])) == (its["Timecode"], 48)
    assert max(map(float, ours["JawOpen"])) > 0.1
    for name in list(ours)[2:]:
        np.testing.assert_allclose(np.array(ours[name], float), np.array(its[name], float), atol=1e-4, err_msg=name)
