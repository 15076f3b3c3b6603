# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of control weights and FLAME parameters: 3D-ETF, BEAT, TalkSHOW, Live Link Face and exported clips."""

from __future__ import annotations

import json
import pickle
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from backend import motion_file
from backend.face import ARKIT_CHANNELS, ETF_CHANNELS, FLAME_CHANNELS
from backend.motion_file import Motion
from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError
from backend.training.readers import reader
from backend.training.readers.annotated import DataSet


def read(layout: str, folder: Path) -> DataSet:
    (found,) = reader(layout)(folder)
    return found


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


# --- 3D-ETF ---


def test_etf_finds_pairs_wherever_they_lie(tmp_path: Path):
    weights = np.random.default_rng(0).normal(size=(5, 52))
    np.save(touch(tmp_path / "RAVDESS" / "blendshape" / "03-01-06-01-02-02-12.npy"), weights)
    wav = touch(tmp_path / "RAVDESS" / "audio" / "03-01-06-01-02-02-12.wav")
    touch(tmp_path / "HDTF" / "RD_Radio11_000.npy")
    touch(tmp_path / "HDTF" / "RD_Radio11_001.npy")
    found = read("3d-etf", tmp_path)
    assert found.identities == ("RD_Radio11", "actor12")
    assert found.clips[0].audio == wav
    assert found.clips[1].audio.name == "RD_Radio11_000.wav"
    assert (found.space.name, found.space.fps, found.space.channels) == ("3DETF_blendshape_weight", 30.0, ETF_CHANNELS)
    np.testing.assert_array_equal(found.clips[0].load(), np.maximum(weights, 0).astype(np.float32))


def test_etf_refuses_two_files_of_one_name(tmp_path: Path):
    touch(tmp_path / "a" / "x.npy")
    touch(tmp_path / "b" / "x.npy")
    with pytest.raises(CorpusError, match=r"a/x\.npy and .*b/x\.npy have one name"):
        read("3d-etf", tmp_path)


# --- BEAT ---


def beat(path: Path, names: list[str], weights: np.ndarray, fps: float = 60.0) -> Path:
    frames = [{"weights": row.tolist(), "time": 3 + number / fps} for number, row in enumerate(weights)]
    touch(path).write_text(json.dumps({"names": names, "frames": frames}), encoding="utf-8")
    touch(path.with_suffix(".wav"))
    return path


def test_beat_is_sorted_by_the_names_of_each_file(tmp_path: Path):
    weights = np.random.default_rng(0).random((7, 51)).astype(np.float32)
    first, second = [name for name in ARKIT_CHANNELS if name != "tongueOut"], list(ETF_CHANNELS)
    random.Random(1).shuffle(first)
    beat(tmp_path / "1" / "1_wayne_0_1_1.json", first, weights)
    beat(tmp_path / "2" / "2_scott_0_1_1.json", second, np.pad(weights, ((0, 0), (0, 1))))
    found = read("beat", tmp_path)
    assert found.identities == ("1_wayne", "2_scott")
    assert (found.space.name, found.space.fps, found.clips[0].fps) == ("arkit", 30.0, 60.0)
    assert found.cut_long
    for clip, names in zip(found.clips, (first, second), strict=True):
        motion = clip.load()
        assert motion.shape == (7, 52)
        for column, name in enumerate(names[:51]):
            np.testing.assert_array_equal(motion[:, ARKIT_CHANNELS.index(name)], weights[:, column])
    assert not found.clips[0].load()[:, ARKIT_CHANNELS.index("tongueOut")].any()


@pytest.mark.parametrize(
    ("names", "weights", "fps", "sentence"),
    [
        (ETF_CHANNELS[:50], np.zeros((9, 50)), 60.0, "has no weights of noseSneerRight, which ARKit has"),
        (ETF_CHANNELS, np.zeros((9, 51)), 60.0, "has 51 numbers per frame instead of 52"),
        (ETF_CHANNELS, np.zeros((9, 52)), 30.0, "runs at 30 frames per second instead of 60"),
        (ETF_CHANNELS, np.full((9, 52), np.nan), 60.0, "holds numbers that are NaN or infinite"),
        (ETF_CHANNELS, np.zeros((0, 52)), 60.0, "holds no frames"),
    ],
)
def test_broken_beat_files_are_one_sentence(
    tmp_path: Path, names: tuple[str, ...], weights: np.ndarray, fps: float, sentence: str
):
    beat(tmp_path / "1" / "1_wayne_0_1_1.json", list(names), weights, fps)
    with pytest.raises(ClipError, match=rf"1_wayne_0_1_1\.json {sentence}"):
        read("beat", tmp_path).clips[0].load()


def test_beat_files_without_their_parts_are_one_sentence(tmp_path: Path):
    path = beat(tmp_path / "1_wayne_0_1_1.json", [], np.zeros((2, 0)))
    for content in ("{}", "[", '{"names": [], "frames": [{}]}', '{"names": ["a"], "frames": [{"weights": ["x"]}]}'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ClipError, match=r"1_wayne_0_1_1\.json is no BEAT file"):
            read("beat", tmp_path).clips[0].load()


# --- TalkSHOW ---


def talkshow(path: Path, frames: int = 90, **changes: object) -> np.ndarray:
    random_numbers = np.random.default_rng(frames)
    content = {
        "betas": np.ones(300, np.float32),
        "expression": random_numbers.normal(size=(frames, 100)).astype(np.float32),
        "jaw_pose": random_numbers.normal(size=(frames, 3)),
        "global_orient": np.ones((frames, 3)),
        "width": 1280,
        "center": np.float32(2.5),
    }
    touch(path).write_bytes(pickle.dumps({**content, **changes}))
    touch(path.with_suffix(".wav"))
    return np.hstack([content["expression"], content["jaw_pose"]])


def test_talkshow_becomes_flame_parameters_on_the_mean_head(tmp_path: Path):
    truth = talkshow(tmp_path / "seth" / "video1" / "val" / "clip1" / "clip1.pkl")
    talkshow(tmp_path / "oliver" / "video1" / "train" / "clip2" / "clip2.pkl")
    found = read("talkshow", tmp_path)
    assert [(clip.identity, clip.split) for clip in found.clips] == [("oliver", "train"), ("seth", "val")]
    assert (found.space.name, found.space.fps, found.space.dim) == ("flame_params_from_dadhead", 30.0, 413)
    motion = found.clips[1].load()
    np.testing.assert_array_equal(motion[:, 300:403], truth.astype(np.float32))
    assert FLAME_CHANNELS[300] == "expression0"
    assert FLAME_CHANNELS[400] == "jawX"
    assert not motion[:, :300].any()
    assert not motion[:, 403:].any()


def test_talkshow_without_split_folders_is_drawn_one(tmp_path: Path):
    for number in range(20):
        talkshow(tmp_path / "seth" / "video" / f"clip{number}.pkl")
    assert Counter(clip.split for clip in read("talkshow", tmp_path).clips) == {"train": 16, "val": 2, "test": 2}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": 89}, r"c\.pkl has 89 frames; TalkSHOW uses clips of 90 or more"),
        ({"jaw_pose": np.zeros((80, 3))}, r"c\.pkl has 80 frames"),
        ({"expression": np.zeros((90, 50))}, r"c\.pkl has 50 numbers per frame instead of 100"),
        ({"expression": np.full((90, 100), np.inf)}, r"c\.pkl holds numbers that are NaN or infinite"),
        ({"jaw_pose": "shut"}, r"c\.pkl is no TalkSHOW clip: it has no 'jaw_pose'"),
        ({"extra": Path("x")}, r"c\.pkl holds code \('pathlib"),
    ],
)
def test_broken_talkshow_files_are_one_sentence(tmp_path: Path, changes: dict, sentence: str):
    talkshow(tmp_path / "seth" / "c.pkl", **changes)
    with pytest.raises(ClipError, match=sentence):
        read("talkshow", tmp_path).clips[0].load()


# --- Live Link Face ---


def take(path: Path, timecodes: list[str], weights: np.ndarray, names: list[str] | None = None) -> Path:
    header = ["Timecode", "BlendShapeCount", *(names or [name[0].upper() + name[1:] for name in ARKIT_CHANNELS])]
    lines = [",".join([code, "61", *map(str, row)]) for code, row in zip(timecodes, weights, strict=True)]
    touch(path).write_text("\n".join([",".join(header), *lines]), encoding="utf-8")
    return path


def sixtieths(count: int, first: int = 0) -> list[str]:
    return [f"13:59:{58 + n // 60:02}:{n % 60:02}.000" for n in range(first, first + count)]


def test_a_take_is_read_by_the_names_in_its_header(tmp_path: Path):
    weights = np.random.default_rng(0).random((80, 52))
    order = list(range(52))
    random.Random(2).shuffle(order)
    names = [ARKIT_CHANNELS[number] for number in order]
    take(tmp_path / "MySlate_1_iPhone.csv", sixtieths(80, 30), weights[:, order], names)
    touch(tmp_path / "MySlate_1_iPhone.wav")
    touch(tmp_path / "frame_log.csv").write_text("Frame,Time\n1,2\n", encoding="utf-8")
    found = read("livelink", tmp_path)
    assert [clip.name for clip in found.clips] == ["MySlate_1_iPhone"]
    assert found.identities == (tmp_path.name,)
    assert (found.space.name, found.space.fps, found.clips[0].fps) == ("arkit", 30.0, 60.0)
    np.testing.assert_allclose(found.clips[0].load(), weights, atol=1e-6)


def test_dropped_frames_do_not_shift_the_rest(tmp_path: Path):
    ramp = np.repeat(np.arange(120)[:, None] / 120, 52, axis=1)
    kept = [number for number in range(120) if number % 7 or not number]
    codes = sixtieths(120)
    take(tmp_path / "a.csv", [codes[number] for number in kept], ramp[kept])
    motion = read("livelink", tmp_path).clips[0].load()
    np.testing.assert_allclose(motion, ramp[: kept[-1] + 1], atol=1e-5)


def test_a_take_at_30_fps_comes_at_60(tmp_path: Path):
    ramp = np.repeat(np.arange(90)[:, None] / 90, 52, axis=1)
    codes = [f"10:00:{n // 30:02}:{n % 30:02}.000" for n in range(90)]
    take(tmp_path / "a.csv", codes, ramp)
    motion = read("livelink", tmp_path).clips[0].load()
    np.testing.assert_allclose(motion[::2], ramp, atol=1e-5)
    assert len(motion) == 179


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_csv_files_of_our_own_are_takes(tmp_path: Path, fps: float):
    weights = np.repeat(np.arange(150)[:, None] / 200, 52, axis=1).astype(np.float32)
    motion_file.write(tmp_path / "a.csv", Motion("arkit", fps, weights, ARKIT_CHANNELS, start=3.25))
    motion = read("livelink", tmp_path).clips[0].load()
    np.testing.assert_allclose(motion[:, 0], np.arange(len(motion)) / 60 * fps / 200, atol=1e-4)


@pytest.mark.parametrize(
    ("codes", "names", "sentence"),
    [
        (["0:0:0:0", "0:0:0:0"], None, "The timecodes in .*a.csv do not rise"),
        (["0:0:0:0", "soon"], None, "a.csv is no whole Live Link Face take"),
        (["0:0:0:0", "0:0:0:1"], ["JawOpen", *"x" * 51], r"a.csv has no column 'eyeblinkleft'"),
    ],
)
def test_broken_takes_are_one_sentence(tmp_path: Path, codes: list[str], names: list[str] | None, sentence: str):
    take(tmp_path / "a.csv", codes, np.zeros((2, 52)), names)
    with pytest.raises(ClipError, match=sentence):
        read("livelink", tmp_path).clips[0].load()


def test_a_folder_without_takes_is_refused(tmp_path: Path):
    touch(tmp_path / "notes.csv")
    with pytest.raises(CorpusError, match="holds no take of Live Link Face"):
        read("livelink", tmp_path)


# --- exported clips ---

SLIDERS = ("jaw", "smile", "pucker", "brows")


def export(
    path: Path, values: np.ndarray, fps: float = 30.0, names: tuple[str, ...] = SLIDERS, **about: object
) -> Path:
    motion = {"space": "my_rig", "fps": fps, "values": values.astype(np.float32), "names": names, **about}
    path.parent.mkdir(parents=True, exist_ok=True)
    motion_file.write(path, Motion(**motion))  # pyright: ignore[reportArgumentType]
    touch(path.with_suffix(".flac"))
    return path


def test_any_list_of_controls_becomes_a_face_space(tmp_path: Path):
    values = np.random.default_rng(0).random((40, 4)).astype(np.float32)
    export(tmp_path / "hello" / "take1.npz", values, start=1.5, metadata='{"identity": "Ann"}')
    export(tmp_path / "bye.npz", values[:, ::-1], names=SLIDERS[::-1])
    found = read("clips", tmp_path)
    assert (found.name, found.cut_long) == (tmp_path.name, True)
    assert (found.space.name, found.space.kind, found.space.fps) == ("my_rig", "controls", 30.0)
    bye, hello = found.clips
    assert (bye.name, bye.identity, bye.start) == ("bye", tmp_path.name, 0.0)
    assert (hello.name, hello.identity, hello.start) == ("hello/take1", "Ann", 1.5)
    assert hello.audio == tmp_path / "hello" / "take1.flac"
    assert found.space.channels == SLIDERS[::-1]
    np.testing.assert_array_equal(bye.load(), values[:, ::-1])
    np.testing.assert_array_equal(hello.load(), values[:, ::-1])


def test_arkit_weights_come_in_the_order_of_arkit(tmp_path: Path):
    values = np.random.default_rng(0).random((20, 52)).astype(np.float32)
    export(tmp_path / "a.npz", values, names=ETF_CHANNELS, space="arkit")
    found = read("clips", tmp_path)
    assert found.space.channels == ARKIT_CHANNELS
    np.testing.assert_array_equal(found.clips[0].load()[:, ARKIT_CHANNELS.index("browDownLeft")], values[:, 0])


def test_vertices_can_be_exported_too(tmp_path: Path):
    export(tmp_path / "a.npz", np.ones((20, 7, 3)), names=())
    found = read("clips", tmp_path)
    assert (found.space.kind, found.space.dim, found.space.channels) == ("vertices", 21, ())
    assert found.clips[0].load().shape == (20, 21)


@pytest.mark.parametrize(
    ("fps", "rate", "remains"),
    [(24, 25, 25), (23.976, 25, 25), (25, 25, 25), (29.97, 30, 30), (30, 30, 30), (50, 60, 30), (120, 60, 30)],
)
def test_every_frame_rate_is_brought_to_a_known_one_without_drift(
    tmp_path: Path, fps: float, rate: float, remains: float
):
    seconds = np.arange(round(10 * fps)) / fps
    export(tmp_path / "a.npz", np.repeat(seconds[:, None] / 10, 4, axis=1), fps)
    found = read("clips", tmp_path)
    motion = found.clips[0].load()
    assert (found.clips[0].fps, found.space.fps) == (rate, remains)
    assert len(motion) == pytest.approx(10 * rate, abs=3)
    np.testing.assert_allclose(motion[:, 0] * 10, np.arange(len(motion)) / rate, atol=1e-5)


def test_clips_of_another_character_are_one_sentence(tmp_path: Path):
    export(tmp_path / "a.npz", np.zeros((20, 4)))
    export(tmp_path / "b.npz", np.zeros((20, 3)), names=SLIDERS[:3])
    export(tmp_path / "c.npz", np.zeros((20, 4)), space="other")
    touch(tmp_path / "d.npz").write_bytes(b"PK")
    touch(tmp_path / "e.wav")
    export(tmp_path / "f.npz", np.zeros((20, 4)), metadata="[]")
    found = read("clips", tmp_path)
    assert [clip.name for clip in found.clips] == ["a"]
    problems = "\n".join(sorted(found.problems))
    assert "b.npz has 3 numbers per frame of my_rig, and not the controls of a.npz" in problems
    assert "c.npz has 4 numbers per frame of other" in problems
    assert "d.npz is no motion file" in problems
    assert "There is no annotation" in problems
    assert "e.npz" in problems
    assert "The metadata of" in problems
    assert len(found.problems) == 5


def test_controls_that_are_still_in_a_clip_keep_their_value(tmp_path: Path):
    """A shot in which a slider does not move goes together with one in which it does."""
    moving = np.random.default_rng(0).random((20, 2)).astype(np.float32)
    one, both = {"limits": {"Open": (0, 1)}}, {"limits": {"Smile": (-1, 2), "Open": (0, 1)}}
    export(tmp_path / "a.npz", moving[:, :1], names=("Open",), metadata=json.dumps(one | {"still": {"Smile": 0.3}}))
    export(tmp_path / "b.npz", moving, names=("Smile", "Open"), metadata=json.dumps(both))
    export(tmp_path / "c.npz", moving[:, :1], names=("Open",), metadata=json.dumps(one | {"still": {"Eyes": 0.0}}))
    found = read("clips", tmp_path)
    assert (found.space.channels, found.space.limits) == (("Open", "Smile"), ((0.0, 1.0), (-1.0, 2.0)))
    first, second, stranger = found.clips
    np.testing.assert_allclose(first.load(), np.stack([moving[:, 0], np.full(20, 0.3)], axis=1), atol=1e-7)
    np.testing.assert_allclose(second.load(), moving[:, ::-1])
    with pytest.raises(ClipError, match=r"c\.npz does not know the control Smile, which moves in another clip"):
        stranger.load()


def test_a_folder_without_readable_clips_is_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"holds no \.npz files"):
        read("clips", tmp_path)
    touch(tmp_path / "a.npz")
    with pytest.raises(CorpusError, match=r"a\.npz is no motion file"):
        read("clips", tmp_path)


# --- drawn splits ---


@pytest.mark.parametrize(
    ("count", "counts"),
    [(1, {"train": 1}), (2, {"train": 2}), (3, {"train": 2, "val": 1}), (40, {"train": 32, "val": 4, "test": 4})],
)
def test_splits_are_drawn_eight_to_one_to_one(tmp_path: Path, count: int, counts: dict[str, int]):
    for number in range(count):
        touch(tmp_path / f"video_{number:03}.npy")
    first, second = read("3d-etf", tmp_path), read("3d-etf", tmp_path)
    assert Counter(clip.split for clip in first.clips) == counts
    assert [clip.split for clip in first.clips] == [clip.split for clip in second.clips]


# --- emotions in the names of files ---


def test_ravdess_names_say_the_emotion_and_how_strong_it_is(tmp_path: Path):
    for name in ("03-01-03-01-01-01-07", "03-01-05-02-01-01-07", "03-01-02-01-01-01-08", "WRA_Speaker_000"):
        np.save(tmp_path / f"{name}.npy", np.zeros((40, 52), np.float32))
        touch(tmp_path / f"{name}.wav")
    felt = {clip.name: clip.emotions for clip in read("3d-etf", tmp_path).clips}
    assert felt == {
        "03-01-03-01-01-01-07": {"happy": 0.6},
        "03-01-05-02-01-01-07": {"angry": 1.0},
        "03-01-02-01-01-01-08": {},
        "WRA_Speaker_000": {},
    }


def test_the_number_of_a_beat_sequence_says_the_emotion(tmp_path: Path):
    numbers = {"1_wayne_0_1_8": {}, "1_wayne_0_65_65": {"happy": 1.0}, "1_wayne_0_75_75": {"angry": 1.0}}
    numbers |= {"1_wayne_0_90_90": {"disgusted": 0.5}, "1_wayne_0_110_110": {"afraid": 1.0}, "somebody": {}}
    for name in numbers:
        beat(tmp_path / "1" / f"{name}.json", list(ARKIT_CHANNELS), np.zeros((70, 52), np.float32))
    assert {Path(clip.name).name: clip.emotions for clip in read("beat", tmp_path).clips} == numbers
