# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed extension's command in the real application, and the same keys wherever the job is done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
STRIP, CHARACTER = "Zeile 1 – hello", "Anna Müller"
FIRST_FRAME, TRIM_START, TRIM_END, FPS = 37, 12, 9, 24


def generate(blender, shot: Path, *arguments: object):
    return blender.run("-b", shot, "--command", "mouthpiece", "generate", *arguments)


def report(done) -> dict:
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


def keys_in(blender, shot: Path, folder: Path) -> dict[str, np.ndarray]:
    out = folder / "keys.json"
    read = blender.run("-b", shot, "--python-exit-code", 1, "--python", HERE / "shot.py", "--", "keys", out)
    assert read.returncode == 0, read.stderr
    return arrays(out)


def arrays(path: Path) -> dict[str, np.ndarray]:
    return {name: np.array(keys) for name, keys in json.loads(path.read_text(encoding="utf-8")).items()}


@pytest.fixture(scope="module")
def done(blender, make_shot, tmp_path_factory):
    """One job in the real Blender: what the command said, and the keys that it wrote."""
    folder = tmp_path_factory.mktemp("job")
    shot, out = make_shot(), folder / "out.blend"
    before = shot.read_bytes()
    job = generate(blender, shot, "--strip", STRIP, "--object", CHARACTER, "--output", out, "--json")
    assert job.returncode == 0, job.stderr
    assert shot.read_bytes() == before
    return report(job), keys_in(blender, out, folder)


def test_report_and_range(done, speech):
    said, keys = done
    length = round(soundfile.info(speech).duration * FPS)
    frames = np.arange(FIRST_FRAME + TRIM_START, FIRST_FRAME + length - TRIM_END)
    assert (said["first_frame"], said["last_frame"]) == (frames[0], frames[-1])
    assert said["warnings"] == []
    assert len(keys) == 52
    np.testing.assert_array_equal(keys["jawOpen"][:, 0], frames)
    assert keys["jawOpen"][:, 1].max() > 0.1


def test_same_keys_as_in_the_bpy_module(done, speech, tmp_path):
    python = ROOT / ".venv-blender" / "bin" / "python"
    command = [python, HERE / "in_module.py", ROOT, tmp_path, speech]
    environment = os.environ | {"MOUTHPIECE_BACKEND_PYTHON": sys.executable}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert_same(done[1], arrays(tmp_path / "keys.json"))


def test_same_keys_as_in_the_motion_file(done, speech, tmp_path):
    _, keys = done
    sound, rate = soundfile.read(speech)
    begin = TRIM_START * rate // FPS
    cut, motion = tmp_path / "cut.wav", tmp_path / "motion.npz"
    soundfile.write(cut, sound[begin : begin + len(keys["jawOpen"]) * rate // FPS], rate, subtype="FLOAT")
    command = [sys.executable, "-m", "backend", "generate", cut, "--fps", FPS, "--output", motion]
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, capture_output=True)
    with np.load(motion) as file:
        frames = keys["jawOpen"][:, 0]
        columns = zip(file["names"], file["values"].T, strict=True)
        assert_same(keys, {str(name): np.stack([frames, values], 1) for name, values in columns})


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, keys in one.items():
        np.testing.assert_allclose(keys, other[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--strip", "gone"], 2, f"no sound strip named “gone”. It has: {STRIP}."),
        (["--object", "gone"], 2, "There is no object named “gone”."),
        (["--model", "gone"], 2, "gone"),
        (["--identity", "gone"], 2, "gone"),
        (["--nonsense"], 2, "Unrecognized arguments"),
    ],
)
def test_bad_input_is_exit_code_2(blender, make_shot, arguments, code, sentence):
    shot = make_shot()
    before = shot.read_bytes()
    job = generate(blender, shot, *arguments)
    assert job.returncode == code
    assert sentence in job.stderr
    assert "Traceback" not in job.stderr
    assert shot.read_bytes() == before


def test_python_without_torch_is_one_sentence(blender, make_shot):
    python = ROOT / ".venv-blender" / "bin" / "python"
    other = type(blender)(blender.program, blender.environment | {"MOUTHPIECE_BACKEND_PYTHON": str(python)})
    job = generate(other, make_shot())
    assert job.returncode == 2
    assert "torch" in job.stderr
    assert "Traceback" not in job.stderr


def test_backend_goes_when_blender_is_killed(blender):
    """The installed extension starts a backend; then Blender dies without a word."""
    child = blender.start("-b", "--python", HERE / "start_backend.py")
    backend = int(next(line for line in child.stdout if line.startswith("backend")).split()[1])
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 5
    while is_running(backend):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(number: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def test_batch_speaks_two_shots_and_tells_of_the_one_that_is_missing(blender, make_shot, tmp_path):
    shots = [make_shot(), tmp_path / "missing.blend", make_shot()]
    jobs = tmp_path / "jobs.toml"
    jobs.write_text(
        "".join(
            f"[[shots]]\nfile = '{shot}'\noutput = '{tmp_path / f'out {number}.blend'}'\nstep = 2\n"
            for number, shot in enumerate(shots)
        ),
        encoding="utf-8",
    )
    done = blender.run("-b", "--command", "mouthpiece", "batch", jobs, "--json")
    assert done.returncode == 1, done.stderr
    said = report(done)
    assert [shot["ok"] for shot in said["shots"]] == [True, False, True]
    for number in (0, 2):
        frames = keys_in(blender, tmp_path / f"out {number}.blend", tmp_path)["jawOpen"][:, 0]
        assert set(np.diff(frames)) == {2}
