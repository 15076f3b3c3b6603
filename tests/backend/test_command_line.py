# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: files in, files out, and one line with an exit code when that is not possible."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend import motion_file
from backend.__main__ import main
from backend.motion_file import read
from backend.version import version

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def speech(folder: Path, make_sound: Callable[..., bytes]) -> Path:
    """Two seconds, in a file with a difficult name."""
    path = folder / "Strophe 1 – für Ähä.wav"
    path.write_bytes(make_sound(2.0))
    return path


@pytest.fixture
def generate(models: Path) -> Callable[..., int]:
    """Runs ``generate`` with the tiny model."""
    usual = ("--models", str(models), "--device", "cpu")
    return lambda *words: main(["generate", "--model", "tiny", *usual, *map(str, words)])


def test_one_sound_becomes_a_motion_file_beside_nothing_else(generate, speech: Path, folder: Path, capsys):
    assert generate(speech) == 0
    made = folder / f"{speech.stem}.npz"
    assert set(folder.iterdir()) == {speech, made}
    motion = read(made)
    assert (motion.space, motion.fps, motion.values.shape, motion.start) == ("arkit", 60.0, (120, 52), 0.0)
    about = json.loads(motion.metadata)
    assert (about["model"], about["identity"], about["raw"]) == ("tiny", "pivot", False)
    assert about["version"]
    out, err = capsys.readouterr()
    assert made.name in out and "120 frames" in out and err == ""


@pytest.mark.parametrize("kind", motion_file.FORMATS)
def test_the_ending_of_the_output_is_its_format(generate, speech: Path, folder: Path, kind: str):
    assert generate(speech, "--output", folder / "new" / f"m.{kind}", "--fps", 29.97) == 0
    motion = read(folder / "new" / f"m.{kind}")
    assert len(motion.values) == 60 and motion.fps == pytest.approx(29.97, abs=0.002)


def test_the_options_reach_the_model(generate, speech: Path, folder: Path, tiny):
    from backend import audio, pipeline, planning

    options = ("--fps", 24, "--identity", "bob", "--raw", "--space", "arkit")
    assert generate(speech, "--output", folder / "m.npz", *options) == 0
    planned = planning.plan(tiny, planning.Request("arkit", 24.0, "bob", True))
    expected = [chunk.values for chunk in pipeline.generate(tiny, audio.decode(speech), planned)]
    np.testing.assert_allclose(read(folder / "m.npz").values, np.concatenate(expected), atol=1e-5)


def test_many_sounds_become_one_file_each(generate, folder: Path, make_sound):
    for name in ("one.wav", "two.wav"):
        (folder / name).write_bytes(make_sound(1.0))
    assert generate("one.wav", "two.wav", "--output", "out", "--format", "csv") == 0
    assert {file.name for file in (folder / "out").iterdir()} == {"one.csv", "two.csv"}


def test_a_bad_sound_among_many_does_not_keep_the_others_back(generate, folder: Path, make_sound, capsys):
    (folder / "one.wav").write_bytes(make_sound(1.0))
    (folder / "two.wav").write_text("no sound")
    assert generate("two.wav", "one.wav", "nowhere.wav") == 2
    assert {file.name for file in folder.iterdir()} == {"one.wav", "two.wav", "one.npz"}
    complaints = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: ") for line in complaints] == [True, True]
    assert "two.wav" in complaints[0] and "nowhere.wav" in complaints[1]


def test_a_model_may_be_named_by_its_file(models: Path, speech: Path, folder: Path):
    assert main(["generate", str(speech), "--model", str(models / "tiny.safetensors"), "--output", "m.npz"]) == 0
    assert (folder / "m.npz").is_file()


def one_line(capsys, *words: str) -> str:
    """What an error says; nothing else may be said or written."""
    before = sorted(Path().rglob("*"))
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    *stages, said = err.splitlines()
    assert out == "" and said.startswith("error: ")
    assert all(words[0] == "convert" and stage[1:3] == "/3" for stage in stages), "only convert tells how far it was"
    assert sorted(Path().rglob("*")) == before
    return err


def float_wav(*values: float) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.resize(np.array(values, np.float32), 16_000), 16_000, format="WAV", subtype="FLOAT")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b"just text", "not a sound"),
        (float_wav(0.0)[:500], "at least 0.1 s"),
        (float_wav(0.1, np.nan), "NaN"),
    ],
    ids=["missing", "empty", "text", "short", "nan"],
)
def test_a_bad_sound_is_one_line_and_code_2(capsys, models: Path, folder: Path, content: bytes | None, sentence: str):
    if content is not None:
        (folder / "bad.wav").write_bytes(content)
    line = one_line(capsys, "generate", "bad.wav", "--model", "tiny", "--models", str(models), "--output", "out/m.npz")
    assert sentence in line and "bad.wav" in line


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Name a command"),
        (("fly",), "invalid choice"),
        (("generate",), "AUDIO"),
        (("generate", "a.wav", "--fps", "fast"), "invalid float"),
        (("generate", "a.wav", "--takes", "three"), "--takes"),
        (("generate", "a.wav", "--fps", "0"), "0 frames per second"),
        (("generate", "a.wav", "--fps", "nan"), "nan frames per second"),
        (("generate", "a.wav", "--space", "flame"), "no face space “flame”"),
        (("generate", "a.wav", "--identity", "carl"), "no identity “carl”"),
        (("generate", "a.wav", "--output", "m.fbx"), "must end in .npz, .csv or .json"),
        (("generate", "a.wav", "--output", "m.npz", "--format", "csv"), "does not end in .csv"),
        (("generate", "a.wav", "b/a.wav"), "the same name"),
        (("generate", "a.wav", "b.wav", "--output", "a.wav"), "is a file"),
        (("generate", "b"), "is a folder"),
        (("generate", "a.wav", "--model", "nobody"), "no model “nobody”"),
        (("generate", "a.wav", "--model", "nobody.safetensors"), "no model file nobody.safetensors"),
        (("generate", "a.wav", "--model", "cut.safetensors"), "cut.safetensors is no whole model file"),
        (("generate", "a.wav", "--model", "foreign.safetensors"), "foreign.safetensors is no Mouthpiece model"),
        (("generate", "a.wav", "--model", "evil.safetensors"), "evil.safetensors is no whole model file"),
        (("generate", "a.wav", "--model", "evil.pt"), "evil.pt is no model file"),
        (("convert", "evil.pt", "--output", "new.safetensors"), "evil.pt"),
        (("convert", "nowhere.pt", "--output", "new.safetensors"), "nowhere.pt"),
        (("models", "--models", "nowhere"), "no folder nowhere"),
        (("synthesize", "corpus", "--scale", "-1"), "--scale is -1; it must be more than 0."),
        (("synthesize", "corpus", "--processes", "0"), "--processes is 0; it must be 1 or more."),
        (("train", "--data", "b", "--run", "r", "--set", "loudness=1"), "or a --set is wrong: config has no field"),
        (("serve", "--device", "abacus"), "abacus"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_bad_words_are_one_line_and_code_2(capsys, models: Path, folder: Path, make_sound, words, sentence: str):
    import torch
    from safetensors.torch import save_file

    for name in ("a.wav", "b.wav", "b/a.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(make_sound(0.5))
    (folder / "cut.safetensors").write_bytes((models / "tiny.safetensors").read_bytes()[:5000])
    save_file({"weight": torch.zeros(3)}, "foreign.safetensors")
    for name in ("evil.pt", "evil.safetensors"):
        (folder / name).write_bytes(pickle.dumps(Evil()))
    if words[:1] == ("generate",) and "--model" not in words:
        words = (*words, "--model", "tiny", "--models", str(models))
    assert sentence in one_line(capsys, *words)


class Evil:
    """A pickle that writes a file when it is read."""

    def __reduce__(self):
        return (os.mkdir, ("owned",))


def test_it_says_its_version(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"Mouthpiece {version()}\n"


def test_verbose_shows_the_traceback(capsys, models: Path):
    assert main(["generate", "a.wav", "--model", "tiny", "--models", str(models), "--verbose"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback") and lines[-1].startswith("error: ")


def test_an_output_that_cannot_be_written_is_named(generate, speech: Path, folder: Path, capsys):
    (folder / "file").write_text("in the way")
    assert generate(speech, "--output", "file/m.npz") == 2
    assert "file" in capsys.readouterr().err


def test_models_lists_them_for_people_and_programs(models: Path, capsys):
    assert main(["models", "--models", str(models)]) == 0
    text = capsys.readouterr().out
    assert "tiny: A tiny model for tests" in text and "ann, bob, pivot" in text and "arkit" in text
    assert main(["models", "--models", str(models), "--json"]) == 0
    entry = next(entry for entry in json.loads(capsys.readouterr().out) if entry["name"] == "tiny")
    assert entry == {
        "name": "tiny",
        "title": "A tiny model for tests",
        "spaces": ["arkit"],
        "identities": ["ann", "bob"],
        "takes": 1,
        "steps": 0,
        "emotions": [],
        "bytes": (models / "tiny.safetensors").stat().st_size,
        "licence": "GPL-3.0-or-later",
        "path": str(models / "tiny.safetensors"),
    }


def test_models_complains_about_a_broken_file(folder: Path, capsys):
    (folder / "broken.safetensors").write_bytes(b"x" * 100)
    assert main(["models", "--models", str(folder)]) == 1
    assert "broken.safetensors" in capsys.readouterr().err


def test_doctor_looks_at_everything(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    names = ("mouthpiece", "python", "packages", "torch", "memory", "device", "models", "inference")
    assert all(f"ok  {name}" in text for name in names)
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] and [check["name"] for check in report["checks"]] == list(names)


def test_doctor_says_what_to_do(folder: Path, capsys):
    (folder / "broken.safetensors").write_bytes(b"x" * 100)
    assert main(["doctor", "--models", str(folder)]) == 1
    assert "broken.safetensors" in capsys.readouterr().out
    assert main(["doctor", "--models", "nowhere", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["ok"]
    assert "nowhere" in next(check for check in report["checks"] if check["remedy"])["remedy"]


def program(*words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, in a Python that sees our code through its path only."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([python, "-m", "backend", *words], capture_output=True, text=True, env=variables, check=False)


def test_a_python_without_packages_is_one_line(folder: Path, make_sound):
    venv.create(folder / "bare", symlinks=os.name == "posix")
    python = str(folder / "bare" / ("bin/python" if os.name == "posix" else "Scripts/python.exe"))
    (folder / "a.wav").write_bytes(make_sound(0.5))
    done = program("generate", "a.wav", python=python)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "torch" in done.stderr and "-m pip install" in done.stderr
    doctor = program("doctor", python=python)
    assert doctor.returncode == 1 and "torch" in doctor.stdout and doctor.stderr == ""
    assert program("generate", "--help", python=python).returncode == 0


def test_help_comes_without_torch():
    code = (
        "import sys\n"
        "from backend.__main__ import main\n"
        "for words in ([], ['generate'], ['serve'], ['models'], ['doctor'], ['convert'], ['bench'], ['train']):\n"
        "    try:\n"
        "        main([*words, '--help'])\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0\n"
        "heavy = {'torch', 'numpy', 'transformers', 'soundfile'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("generate", "--identity", "--config", "--json"):
        assert word in done.stdout


def test_silence_leaves_the_shipped_model_at_rest(folder: Path):
    """Digital silence, and the hiss of a quiet room."""
    hiss = np.random.default_rng(0).normal(0, 10 ** (-70 / 20), 3 * 16_000)
    for name, samples in (("silence.wav", np.zeros(3 * 16_000)), ("hiss.wav", hiss)):
        soundfile.write(name, samples, 16_000)
        assert main(["generate", name, "--output", "m.npz"]) == 0
        motion = read(folder / "m.npz")
        assert np.abs(motion.values).max() < 0.05, name


def test_speech_moves_the_lips_of_the_shipped_model(folder: Path):
    """The demo's speech: the jaw opens and the lips meet again and again, and rest before the first word."""
    speech = ROOT / "demo" / "speech" / "demo.flac"
    assert main(["generate", str(speech), "--output", "m.npz"]) == 0
    motion = read(folder / "m.npz")
    jaw = motion.values[:, motion.names.index("jawOpen")]
    assert jaw.max() > 0.15
    assert jaw[:3].max() < 0.05
