# SPDX-License-Identifier: GPL-3.0-or-later
"""The job type for Flamenco: what it makes of its settings, and that a worker can do what it makes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile

from tests.farm.flamenco import Compiler, Refused, Worker

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "farm" / "flamenco" / "mouthpiece_lip_sync.js"
SPEECH = ROOT / "demo" / "speech" / "demo.flac"
WORKER = Worker({"blender": "/opt/blender/blender", "blenderArgs": "-b -y"}, {"S:/": "/shared/"})
JOBS = """
[[shots]]
file = "010.blend"
[[shots]]
file = "020.blend"
output = "spoken/020.blend"
[[shots.lines]]
strip = "anna"
object = "Anna"
"""


@pytest.fixture
def compiler() -> Compiler:
    return Compiler(SCRIPT)


def lines(tasks) -> list[str]:
    """The command lines of tasks on a worker."""
    return [" ".join(WORKER.argv(command)) for task in tasks for command in task.commands]


def test_submitted_file_is_spoken_where_it_lies(compiler):
    tasks = compiler.compile(blendfile="S:/jobs/shot.flamenco.blend", options="--object 'Anna M' --blend 4")
    assert [(task.name, task.type, task.needs) for task in tasks] == [("speak shot", "blender", ())]
    (argv,) = (WORKER.argv(command) for command in tasks[0].commands)
    assert argv == [
        *("/opt/blender/blender", "-b", "-y", "/shared/jobs/shot.flamenco.blend", "--command", "mouthpiece"),
        *("generate", "--object", "Anna M", "--blend", "4", "--json"),
    ]


def test_several_files_are_saved_under_their_names_and_rendered_in_chunks(compiler):
    tasks = compiler.compile(
        blendfile="S:/ignored.blend",
        files="S:/010.blend; S:/020.flamenco.blend",
        output_folder="S:/spoken",
        render=True,
        frames="1-12, 20",
        chunk_size=10,
        render_output_root="S:/pictures",
    )
    assert [task.name for task in tasks] == [
        *("speak 010", "speak 020"),
        *("render 010 1-10", "render 010 11,12,20", "render 020 1-10", "render 020 11,12,20"),
    ]
    assert lines(tasks)[1].endswith(
        "/shared/020.flamenco.blend --command mouthpiece generate --output /shared/spoken/020.blend --json"
    )
    assert lines(tasks)[3].endswith(
        "/shared/spoken/010.blend --render-output /shared/pictures/2026-03-07_080910/010/###### --render-format PNG "
        "--render-frame 11,12,20"
    )
    assert "--render-frame 1..10" in lines(tasks)[2]
    assert [task.needs for task in tasks[2:]] == [(tasks[0].uuid,)] * 2 + [(tasks[1].uuid,)] * 2


def test_job_file_is_split_by_its_shots(compiler):
    tasks = compiler.compile(
        job_file="S:/jobs.toml",
        shots="1-5",
        shots_per_task=2,
        spoken_files="\n".join(f"S:/{number}.blend" for number in range(5)),
        render=True,
        render_output_root="S:/pictures",
    )
    assert lines(tasks)[:3] == [
        f"/opt/blender/blender -b -y --command mouthpiece batch /shared/jobs.toml --shots {shots} --json"
        for shots in ("1,2", "3,4", "5")
    ]
    assert lines(tasks)[6].endswith("/3/###### --render-format PNG --render-anim")
    assert [task.needs for task in tasks[3:]] == [(tasks[number // 2].uuid,) for number in range(5)]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "nothing to speak"),
        ({"blendfile": "a.blend", "render": True}, "render_output_root"),
        ({"files": "a/1.blend;b/1.blend", "output_folder": "out"}, "Two files are named 1"),
        ({"files": "a/1.blend;b/1.blend", "render": True, "render_output_root": "out"}, "Two files are named 1"),
        ({"job_file": "a.toml", "shots": "1-2", "options": "--blinks"}, "A job file says itself"),
        ({"job_file": "a.toml", "shots": "1-2", "render": True, "render_output_root": "out"}, "`spoken_files`"),
        ({"job_file": "a.toml"}, "which shots"),
        ({"job_file": "a.toml", "shots": "all"}, "all"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(compiler, settings, sentence):
    with pytest.raises(Refused, match=sentence):
        compiler.compile(**settings)


def test_settings_are_of_the_kinds_that_flamenco_knows(compiler):
    job_type = compiler.job_type
    assert set(job_type) == {"label", "description", "settings"}
    keys = {"key", "type", "subtype", "choices", "propargs", "description", "default", "eval", "evalInfo", "visible"}
    for setting in job_type["settings"]:
        assert set(setting) <= keys
        assert setting["type"] in ("string", "int32", "float", "bool")
        assert setting.get("subtype", "file_path") in ("file_path", "dir_path", "file_name", "hashed_file_path")
        assert setting.get("visible", "visible") in ("visible", "hidden", "submission", "web")
        assert setting["type"] == "string" or "choices" not in setting
        assert setting["description"]


def test_values_that_the_submitting_blender_works_out(compiler, tmp_path):
    jobs = tmp_path / "jobs.toml"
    jobs.write_text(JOBS, encoding="utf-8")
    assert worked_out(compiler, files="", job_file="") == {"shots": "", "spoken_files": "", "frames": "3-40"}
    spoken = f"{tmp_path / '010.blend'}\n{tmp_path / 'spoken/020.blend'}"
    expected = {"shots": "1-2", "spoken_files": spoken, "frames": ""}
    assert worked_out(compiler, files="", job_file=str(jobs)) == expected


def worked_out(compiler, **settings: str) -> dict[str, str]:
    """What Flamenco's add-on makes of the settings with an expression, with the names that it documents."""
    scene = SimpleNamespace(frame_start=3, frame_end=40)
    names = {"C": SimpleNamespace(scene=scene), "settings": SimpleNamespace(**settings), "abspath": Path, "Path": Path}
    expressions = {one["key"]: one["eval"] for one in compiler.job_type["settings"] if "eval" in one}
    return {key: eval(expression, {}, dict(names)) for key, expression in expressions.items()}


def test_worker_speaks_a_file_and_the_shots_of_a_job_file(compiler, tmp_path):
    """Real commands, the real backend: Blender is the module behind its command line."""
    blender = tmp_path / "blender"
    python = ROOT / ".venv-blender" / "bin" / "python"
    runner = Path(__file__).with_name("blender_module.py")
    blender.write_text(f'#!/bin/sh\nexec "{python}" "{runner}" "{tmp_path / "profile"}" "$@"\n', encoding="utf-8")
    blender.chmod(0o755)
    sound, rate = soundfile.read(SPEECH, frames=48000)
    soundfile.write(tmp_path / "line.wav", sound, rate)
    subprocess.run([blender, tmp_path / "010.blend", tmp_path / "line.wav"], check=True)
    (tmp_path / "jobs.toml").write_text('[[shots]]\nfile = "010.blend"\n[[shots]]\nfile = "gone.blend"', "utf-8")
    (tmp_path / "spoken").mkdir()
    before = (tmp_path / "010.blend").read_bytes()
    here = Worker({"blender": str(blender), "blenderArgs": "-b -y"}, {"S:": str(tmp_path)})
    environment = os.environ | {"MOUTHPIECE_BACKEND_PYTHON": sys.executable}
    one_file = compiler.compile(blendfile="S:/010.blend", output_folder="S:/spoken", options="--step 2")
    assert here.run(one_file, env=environment) == ["speak 010"]
    assert (tmp_path / "spoken" / "010.blend").exists()
    assert (tmp_path / "010.blend").read_bytes() == before
    of_jobs = compiler.compile(job_file="S:/jobs.toml", shots="1-2")
    assert here.run(of_jobs, env=environment) == ["speak shots 1"]
    assert (tmp_path / "010.blend").read_bytes() != before
