# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepared data sets: from published folders to what training reads, with everything that can be broken."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend import motion_file
from backend.__main__ import main
from backend.audio import level
from backend.motion_file import Motion
from backend.training.errors import CorpusError
from backend.training.motion import motion_set, principal_components
from backend.training.motion import prepare as preparation
from backend.training.motion.clip import cut
from backend.training.motion.motion_set import MotionSet, PreparedClip
from backend.training.motion.prepare import Options, Report

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "data_item"
SLIDERS = ("jaw", "smile", "pucker")


def tone(path: Path, seconds: float, rate: int = 16000) -> np.ndarray:
    """A sound file of a rising tone; returns its samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    samples = 0.5 * np.sin(2 * np.pi * (200 + 50 * time) * time)
    soundfile.write(path, samples, rate)
    return samples


def walk(frames: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(frames, dim)), axis=0).astype(np.float32) / 100


def export(folder: Path, name: str, seconds: float = 2.0, fps: float = 30.0, sound: float | None = None) -> Path:
    """One exported clip; `sound` seconds of sound where that differs."""
    folder.mkdir(parents=True, exist_ok=True)
    values = walk(round(seconds * fps), len(SLIDERS), len(name))
    motion_file.write(folder / f"{name}.npz", Motion("my_rig", fps, values, SLIDERS))
    tone(folder / f"{name}.wav", seconds if sound is None else sound)
    return folder


def release(folder: Path, frames: int = 45, **changes: object) -> Path:
    """A UniTalker data set of five vertices: two training clips and one of each other split."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "id_template.npy", np.arange(30, dtype=np.float32).reshape(2, 5, 3))
    for number, (split, name) in enumerate([("train", "a"), ("train", "b"), ("val", "c"), ("test", "d")]):
        tone(folder / f"{name}.wav", frames / 30)
        np.save(folder / f"{name}.npy", walk(frames, 15, number).reshape(frames, 5, 3) + 1)
        item = {"annot_type": "toy_5_vertices", "dataset": "T1", "fps": 30, "id": number % 2}
        labels = folder / f"{split}.json"
        items = json.loads(labels.read_text())["data"] if labels.is_file() else []
        items.append({**item, "annot_path": f"{name}.npy", "audio_path": f"{name}.wav", **changes})
        labels.write_text(json.dumps({"info": {"id_list": []}, "data": items}))
    return folder


def prepare(layout: str, folder: Path, output: Path, **options: object) -> Report:
    (report,) = preparation.prepare(layout, folder, output, Options(**options))  # pyright: ignore[reportArgumentType]
    return report


def only(folder: Path) -> MotionSet:
    (found,) = motion_set.read([folder])
    return found


# --- what comes out ---


def test_a_prepared_set_holds_what_the_published_one_says(tmp_path: Path):
    folder = release(tmp_path / "T1")
    report = prepare("unitalker", folder, tmp_path / "out")
    assert (report.recordings, report.unused, report.problems) == (4, 0, ())
    found = only(tmp_path / "out")
    assert (found.name, found.folder) == ("T1", tmp_path / "out" / "T1")
    assert (found.space.name, found.space.kind, found.space.dim, found.space.fps) == (
        "toy_5_vertices",
        *("vertices", 15, 30),
    )
    assert found.header.identities == ("T1/0", "T1/1")
    assert [(clip.name, clip.identity, clip.split) for clip in found.clips] == [
        ("a", "T1/0", "train"),
        ("b", "T1/1", "train"),
        ("c", "T1/0", "val"),
        ("d", "T1/1", "test"),
    ]
    assert [clip.name for clip in found.split("val")] == ["c"]
    clip = found.load(found.clips[1])
    np.testing.assert_array_equal(clip.motion, np.load(folder / "b.npy").reshape(45, 15))
    np.testing.assert_array_equal(clip.template, np.arange(15, 30))
    np.testing.assert_allclose(clip.samples, soundfile.read(folder / "b.wav")[0], atol=1e-4)
    assert (clip.fps, clip.motion.dtype, clip.samples.dtype) == (30.0, np.float32, np.float32)


def test_sound_becomes_16_khz(tmp_path: Path):
    folder = export(tmp_path / "ann", "hello")
    tone(folder / "hello.wav", 2.0, 44100)
    prepare("clips", folder, tmp_path / "out")
    found = only(tmp_path / "out")
    assert soundfile.info(found.folder / found.clips[0].audio).samplerate == 16000
    samples = found.load(found.clips[0]).samples
    assert samples.shape == (32000,)
    np.testing.assert_allclose(samples[800:-800], level(tone(tmp_path / "x.wav", 2.0))[800:-800], atol=2e-3)


@pytest.mark.parametrize("case", ["i0", "i1", "i4"])
def test_clips_are_those_of_the_official_code(tmp_path: Path, case: str):
    """The golden data items, through json lists, files and back."""
    about = next(c for c in json.loads((GOLDEN / "cases.json").read_text())["cases"] if c["name"] == case)
    arrays = np.load(GOLDEN / "cases.npz")
    motion, template = arrays[f"{case}.annot_in"], arrays[f"{case}.template_in"]
    np.save(tmp_path / "a.npy", motion)
    np.save(tmp_path / "id_template.npy", template.reshape(1, -1))
    np.save(tmp_path / "a_sound.npy", tone(tmp_path / "a.wav", about["audio_samples_in"] / 16000).astype(np.float32))
    item = {"annot_type": "toy", "dataset": about["dataset"], "fps": about["fps_in"], "id": 0}
    item |= {"annot_path": "a.npy", "audio_path": "a_sound.npy"}
    (tmp_path / "train.json").write_text(json.dumps({"data": [item]}))
    prepare("unitalker", tmp_path, tmp_path / "out")
    found = only(tmp_path / "out")
    clip = found.load(found.clips[0])
    assert clip.fps == about["fps_out"]
    assert clip.motion.shape[0] == about["annot_frames_out"]
    assert clip.samples.shape == (about["audio_samples_out"],)
    expected = cut(clip.samples, motion, about["fps_in"], template, 1.0)
    assert expected is not None
    np.testing.assert_allclose(clip.motion, expected.motion[: len(clip.motion)], atol=1e-6)


def test_scale_reaches_motion_templates_and_space(tmp_path: Path):
    faces = {"F2": np.full((23370, 3), 0.25, np.float32)}
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps(faces, 2))
    (tmp_path / "vertices_npy").mkdir()
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", np.full((13, 70110), 0.5, np.float32))
    tone(tmp_path / "wav" / "F2_e01.wav", 0.52, 44100)
    prepare("biwi", tmp_path, tmp_path / "out", components=0)
    found = only(tmp_path / "out")
    clip = found.load(found.clips[0])
    np.testing.assert_allclose(clip.motion, 0.1, rtol=1e-6)
    np.testing.assert_allclose(clip.template, 0.05, rtol=1e-6)
    assert found.space.scale == 0.2
    assert found.basis() is None


def test_long_takes_become_several_clips_and_keep_their_end(tmp_path: Path):
    folder = export(tmp_path / "ann", "long", 45.3, 24.0)
    prepare("clips", folder, tmp_path / "out")
    found = only(tmp_path / "out")
    assert [clip.name for clip in found.clips] == ["long-000", "long-001", "long-002"]
    assert [clip.frames for clip in found.clips] == [500, 500, 132]
    assert [clip.samples for clip in found.clips] == [320000, 320000, pytest.approx(84480, abs=700)]
    assert len({clip.split for clip in found.clips}) == 1
    whole = soundfile.read(folder / "long.wav")[0]
    np.testing.assert_allclose(found.load(found.clips[1]).samples, level(whole)[320000:640000], atol=1e-3)


def test_sound_before_the_first_frame_is_left_out(tmp_path: Path):
    folder = export(tmp_path / "ann", "a", 2.0, sound=3.0)
    motion = motion_file.read(folder / "a.npz")
    motion_file.write(folder / "a.npz", replace(motion, start=0.5))
    prepare("clips", folder, tmp_path / "out")
    found = only(tmp_path / "out")
    whole = soundfile.read(folder / "a.wav")[0]
    np.testing.assert_allclose(found.load(found.clips[0]).samples, level(whole)[8000:40000], atol=1e-3)


def test_motion_is_mapped_and_can_be_half_as_large(tmp_path: Path):
    folder = release(tmp_path / "T1")
    prepare("unitalker", folder, tmp_path / "out", half=True)
    found = only(tmp_path / "out")
    assert isinstance(found.motion(found.clips[0]), np.memmap)
    assert found.motion(found.clips[0]).dtype == np.float16
    clip = found.load(found.clips[0])
    assert clip.motion.dtype == np.float32
    np.testing.assert_allclose(clip.motion, np.load(folder / "a.npy").reshape(45, 15), rtol=1e-3)


# --- bases ---


def test_vertices_get_a_basis_of_the_training_clips_around_their_templates(tmp_path: Path):
    folder = release(tmp_path / "T1")
    prepare("unitalker", folder, tmp_path / "out", components=4)
    basis = only(tmp_path / "out").basis()
    assert basis is not None
    offsets = np.concatenate(
        [np.load(folder / f"{name}.npy").reshape(45, 15) - np.arange(15) - 15 * n for n, name in enumerate("ab")]
    )
    np.testing.assert_allclose(basis.mean, offsets.mean(axis=0), atol=1e-5)
    values = np.linalg.svd(offsets - offsets.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(basis.singular_values, values[:4], rtol=1e-3)


def test_a_published_basis_is_kept(tmp_path: Path):
    folder = release(tmp_path / "T1")
    data = walk(60, 15, 9)
    principal_components.write(folder / "pca.npz", principal_components.fit(lambda: [data], 6))
    prepare("unitalker", folder, tmp_path / "out", components=3)
    basis = only(tmp_path / "out").basis()
    assert basis is not None
    np.testing.assert_array_equal(basis.components, principal_components.read(folder / "pca.npz", 15).components)


def test_motionless_vertices_are_one_sentence(tmp_path: Path):
    folder = release(tmp_path / "T1")
    np.save(folder / "id_template.npy", np.zeros((2, 15), np.float32))
    for name in "ab":
        np.save(folder / f"{name}.npy", np.zeros((45, 15), np.float32))
    with pytest.raises(CorpusError, match=r"No basis can be made of T1 .* two frames or more that differ"):
        prepare("unitalker", folder, tmp_path / "out")


# --- broken items ---


def no_sound(folder: Path) -> None:
    (folder / "b.wav").unlink()


def no_annotation(folder: Path) -> None:
    (folder / "b.npy").unlink()


def wrong_dimension(folder: Path) -> None:
    np.save(folder / "b.npy", walk(45, 18))


def not_a_number(folder: Path) -> None:
    np.save(folder / "b.npy", np.full((45, 15), np.nan, np.float32))


def short_sound(folder: Path) -> None:
    tone(folder / "b.wav", 0.4)


def very_short_sound(folder: Path) -> None:
    tone(folder / "b.wav", 0.04)


def damaged_sound(folder: Path) -> None:
    (folder / "b.wav").write_bytes(b"RIFF")


def wrong_rate(folder: Path) -> None:
    set_rate(folder, 24)


def other_rate(folder: Path) -> None:
    set_rate(folder, 25)


def set_rate(folder: Path, fps: float) -> None:
    labels = json.loads((folder / "train.json").read_text())
    labels["data"][1]["fps"] = fps
    (folder / "train.json").write_text(json.dumps(labels))


def listed_twice(folder: Path) -> None:
    labels = json.loads((folder / "val.json").read_text())
    labels["data"].append({**labels["data"][0], "annot_path": "a.npy", "audio_path": "a.wav"})
    (folder / "val.json").write_text(json.dumps(labels))


BROKEN: list[tuple[Callable[[Path], None], str]] = [
    (no_sound, r"b\.wav is missing beside b\.npy"),
    (no_annotation, r"b\.npy is missing beside b\.wav"),
    (wrong_dimension, r"b\.npy has 18 numbers per frame instead of 15"),
    (not_a_number, r"b\.npy holds numbers that are NaN or infinite"),
    (short_sound, r"b\.wav and its annotation have 0\.40 s in common; at least 0\.5 s are needed"),
    (very_short_sound, r"b\.wav cannot be used: .* lasts 0\.04 s; at least 0\.1 s are needed"),
    (damaged_sound, r"b\.wav cannot be used: .* is not a sound"),
    (wrong_rate, r"b\.npy cannot be used: Annotations at 24 frames per second are not known"),
    (other_rate, r"b\.npy gives 25 frames per second instead of 30"),
    (listed_twice, r"a\.npy is listed twice, in train and val"),
]


@pytest.mark.parametrize(("damage", "sentence"), BROKEN, ids=[damage.__name__ for damage, _ in BROKEN])
def test_a_broken_item_is_left_out_and_listed(tmp_path: Path, damage: Callable[[Path], None], sentence: str):
    folder = release(tmp_path / "T1")
    damage(folder)
    report = prepare("unitalker", folder, tmp_path / "out")
    (problem,) = report.problems
    with pytest.raises(CorpusError, match=sentence):
        raise CorpusError(problem)
    assert problem.count("\n") == 0
    assert len(only(tmp_path / "out").clips) == (4 if damage is listed_twice else 3)
    assert (tmp_path / "out" / "T1" / "problems.txt").read_text() == problem + "\n"
    text = preparation.table([report])
    assert "1 broken and left out" in text
    assert problem in text


@pytest.mark.parametrize(("damage", "sentence"), BROKEN, ids=[damage.__name__ for damage, _ in BROKEN])
def test_a_broken_item_ends_a_strict_run(tmp_path: Path, damage: Callable[[Path], None], sentence: str):
    folder = release(tmp_path / "T1")
    damage(folder)
    with pytest.raises(CorpusError, match=sentence):
        prepare("unitalker", folder, tmp_path / "out", strict=True)
    assert damage is not listed_twice or not (tmp_path / "out").exists(), "nothing was begun"


def test_a_set_of_nothing_but_broken_items_is_refused(tmp_path: Path):
    folder = release(tmp_path / "T1")
    for name in "abcd":
        (folder / f"{name}.wav").unlink()
    with pytest.raises(CorpusError, match=r"No recording in .*T1 can be used\. .*a\.wav is missing"):
        prepare("unitalker", folder, tmp_path / "out")


def test_unused_recordings_are_counted(tmp_path: Path):
    folder = export(tmp_path / "ann", "a")
    report = prepare("clips", folder, tmp_path / "out")
    assert "of 1 recordings, 0 broken and left out, 0 in no official split" in preparation.table([report])
    assert "my_rig at 30 fps, 1 identities" in preparation.table([report])


# --- names ---


def test_two_data_sets_with_one_name_are_refused_when_they_are_made(tmp_path: Path):
    prepare("unitalker", release(tmp_path / "first"), tmp_path / "out")
    with pytest.raises(CorpusError, match=r"holds another data set named T1, made from .*first: choose another --name"):
        prepare("unitalker", release(tmp_path / "second"), tmp_path / "out")
    preparation.prepare("unitalker", tmp_path / "second", tmp_path / "out", Options(), "T2")
    assert [found.name for found in motion_set.read([tmp_path / "out"])] == ["T1", "T2"]


def test_two_data_sets_with_one_name_are_refused_when_they_are_read(tmp_path: Path):
    for number in ("1", "2"):
        prepare("unitalker", release(tmp_path / number), tmp_path / f"out{number}")
    with pytest.raises(CorpusError, match=r"out1/T1 and .*out2/T1 are both named T1; prepare one again with --name"):
        motion_set.read([tmp_path / "out1", tmp_path / "out2"])


def test_one_folder_with_two_data_sets_of_one_name_is_refused(tmp_path: Path):
    release(tmp_path / "root" / "x")
    release(tmp_path / "root" / "y")
    with pytest.raises(CorpusError, match="holds 2 data sets named T1"):
        preparation.prepare("unitalker", tmp_path / "root", tmp_path / "out")
    with pytest.raises(CorpusError, match="cannot all be named T3"):
        preparation.prepare("unitalker", tmp_path / "root", tmp_path / "out", Options(), "T3")


# --- again ---


def made_at(folder: Path) -> dict[str, int]:
    return {
        path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".flac", ".npy", ".npz")
    }


def test_a_second_run_makes_only_what_has_changed(tmp_path: Path):
    folder, home = release(tmp_path / "T1"), tmp_path / "out" / "T1"
    prepare("unitalker", folder, tmp_path / "out", components=4)
    first = made_at(home)
    prepare("unitalker", folder, tmp_path / "out", components=4)
    assert {name for name, time in made_at(home).items() if time != first[name]} == {"templates.npy"}
    np.save(folder / "b.npy", walk(45, 15, 77))
    prepare("unitalker", folder, tmp_path / "out", components=4)
    changed = {name for name, time in made_at(home).items() if time != first[name]}
    assert changed == {"templates.npy", "b.flac", "b.npy", "pca.npz"}
    prepare("unitalker", folder, tmp_path / "out", components=3)
    assert len(only(tmp_path / "out").basis().components) == 3
    prepare("unitalker", folder, tmp_path / "out", components=0)
    assert only(tmp_path / "out").basis() is None


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, home = release(tmp_path / "T1"), tmp_path / "out" / "T1"
    written, sounds = soundfile.write, []

    def killed(path: Path, *arguments: object, **options: object) -> None:
        sounds.append(path)
        if len(sounds) == 3:
            Path(path).write_bytes(b"fLaC")
            raise KeyboardInterrupt
        written(path, *arguments, **options)

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(soundfile, "write", killed)
        prepare("unitalker", folder, tmp_path / "out")
    with pytest.raises(CorpusError, match="holds no prepared data set"):
        motion_set.read([tmp_path / "out"])
    assert not (home / "audio" / "c.flac").exists()
    with (home / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('["c", [30.')
    first = made_at(home)
    prepare("unitalker", folder, tmp_path / "out")
    assert all(made_at(home)[name] == first[name] for name in ("a.flac", "a.npy", "b.flac", "b.npy"))
    whole = release(tmp_path / "again")
    prepare("unitalker", whole, tmp_path / "out2")
    interrupted, straight = only(tmp_path / "out"), only(tmp_path / "out2")
    assert interrupted.clips == straight.clips
    for clip in interrupted.clips:
        np.testing.assert_array_equal(interrupted.load(clip).samples, straight.load(clip).samples)


def test_other_options_make_everything_again(tmp_path: Path):
    folder = release(tmp_path / "T1")
    for half in (False, True, False):
        prepare("unitalker", folder, tmp_path / "out", half=half)
        found = only(tmp_path / "out")
        assert found.motion(found.clips[0]).dtype == (np.float16 if half else np.float32)


# --- damaged prepared sets ---


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    prepare("unitalker", release(tmp_path / "T1"), tmp_path / "out")
    return tmp_path / "out" / "T1"


def change_line(prepared: Path, **changes: object) -> None:
    path = prepared / "manifest.jsonl"
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **changes}), *others]) + "\n")


def change_motion(prepared: Path, motion: np.ndarray) -> None:
    np.save(prepared / "motion" / "a.npy", motion)


def change_sound(prepared: Path, seconds: float, rate: int = 16000) -> None:
    soundfile.write(prepared / "audio" / "a.flac", np.zeros(round(seconds * rate)), rate)


DAMAGED: list[tuple[str, Callable[[Path], object], str]] = [
    ("no sound", lambda home: (home / "audio" / "a.flac").unlink(), r"audio/a\.flac is missing or damaged"),
    ("no motion", lambda home: (home / "motion" / "a.npy").unlink(), r"motion/a\.npy is missing or damaged"),
    ("dimension", lambda home: change_motion(home, walk(45, 12)), r"a\.npy is 45 x 12 numbers instead of 45 x 15"),
    ("frames", lambda home: change_motion(home, walk(44, 15)), r"a\.npy is 44 x 15 numbers instead of 45 x 15"),
    ("type", lambda home: change_motion(home, np.zeros((45, 15))), r"a\.npy holds float64 and not float32"),
    ("fps", lambda home: change_line(home, fps=25.0), r"a\.npy runs at 25 frames per second instead of 30"),
    ("length", lambda home: change_sound(home, 0.4), r"a\.flac has 6400 samples at 16 kHz instead of 24000"),
    ("rate", lambda home: change_sound(home, 1.5, 44100), r"a\.flac is not mono at 16 kHz"),
    ("identity", lambda home: change_line(home, identity="T1/9"), r"a in .*manifest\.jsonl is of T1/9"),
    ("split", lambda home: change_line(home, split="learn"), r"manifest\.jsonl line 1 is no clip: .*split is 'learn'"),
    ("field", lambda home: change_line(home, mood="sad"), r"manifest\.jsonl line 1 is no clip: .* no field 'mood'"),
    ("line", lambda home: (home / "manifest.jsonl").write_text("{\n"), r"manifest\.jsonl line 1 is no clip"),
    ("header", lambda home: (home / "data_set.json").write_text("{"), r"data_set\.json is no JSON"),
    ("header lacks", lambda home: (home / "data_set.json").write_text("{}"), r"data_set\.json is damaged: .* lacks"),
    ("no header", lambda home: (home / "data_set.json").unlink(), r"data_set\.json cannot be read"),
]


@pytest.mark.parametrize(("damage", "sentence"), [row[1:] for row in DAMAGED], ids=[row[0] for row in DAMAGED])
def test_a_damaged_set_is_one_sentence_that_names_the_file(
    prepared: Path, damage: Callable[[Path], object], sentence: str
):
    damage(prepared)
    with pytest.raises(CorpusError, match=sentence):
        motion_set.read([prepared])


def test_sound_that_is_too_short_is_refused_whatever_the_manifest_says(prepared: Path):
    change_sound(prepared, 0.4)
    change_motion(prepared, walk(12, 15))
    change_line(prepared, samples=6400, frames=12)
    with pytest.raises(CorpusError, match=r"a\.flac lasts 0\.40 s; at least 0\.5 s are needed"):
        motion_set.read([prepared])


def test_nan_is_found_when_a_clip_is_loaded(prepared: Path):
    change_motion(prepared, np.full((45, 15), np.nan, np.float32))
    found = only(prepared)
    with pytest.raises(CorpusError, match=r"a\.npy holds numbers that are NaN or infinite"):
        found.load(found.clips[0])


def test_templates_of_another_set_are_refused(prepared: Path):
    np.save(prepared / "templates.npy", np.zeros((3, 15), np.float32))
    with pytest.raises(CorpusError, match=r"templates\.npy does not hold one neutral face per identity"):
        only(prepared).template(PreparedClip("a", "T1/0", "train", 30.0, 24000, 45))


# --- the command ---


def test_the_command_prepares_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = release(tmp_path / "T1")
    (folder / "d.wav").unlink()
    output = str(tmp_path / "out")
    assert main(["prepare", "--layout", "unitalker", str(folder), "--output", output, "--name", "toy"]) == 0
    shown = capsys.readouterr().out
    assert "toy: 3 clips (2 train, 1 val)" in shown
    assert "d.wav is missing beside d.npy" in shown
    assert only(tmp_path / "out").header.identities == ("toy/0", "toy/1")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--layout", "bewe"], "There is no layout 'bewe'"),
        (["--layout", "unitalker", "--components", "-1"], "--components is -1"),
        (["--layout", "unitalker", "another"], "one folder is prepared at a time"),
        (["--layout", "unitalker", "--strict"], "d.wav is missing beside d.npy"),
        (["--layout", "biwi"], "templates.pkl"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
):
    folder = release(tmp_path / "T1")
    (folder / "d.wav").unlink()
    assert main(["prepare", *arguments, str(folder), "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ")
    assert sentence in said


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CorpusError, match=r"out.* cannot be used"):
        prepare("unitalker", release(tmp_path / "T1"), tmp_path / "out")
