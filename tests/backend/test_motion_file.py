# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion files: what other programs find in them, and that they come back as they were written."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend import motion_file
from backend.face import ARKIT_CHANNELS
from backend.motion_file import Motion, MotionFileError

VALUES = np.random.default_rng(0).random((90, 52), np.float32)
ARKIT = Motion("arkit", 29.97, VALUES, ARKIT_CHANNELS, 0.0, '{"model": "Ä"}')
MESH = Motion("mesh_vertices", 25.0, VALUES.reshape(90, -1)[:, :51].reshape(90, 17, 3).copy())


def same(one: Motion, other: Motion) -> bool:
    fields = ("space", "fps", "names", "start", "metadata")
    return all(getattr(one, name) == getattr(other, name) for name in fields) and np.array_equal(
        one.values, other.values
    )


@pytest.mark.parametrize("ending", ["npz", "json", "NPZ"])
@pytest.mark.parametrize("motion", [ARKIT, MESH, replace(ARKIT, start=1.5)], ids=["controls", "vertices", "later"])
def test_npz_and_json_bring_back_every_bit(motion: Motion, ending: str, tmp_path: Path):
    path = tmp_path / f"Bewegung ä.{ending}"
    motion_file.write(path, motion)
    assert same(motion_file.read(path), motion)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_npz_has_the_documented_arrays(tmp_path: Path):
    motion_file.write(tmp_path / "m.npz", ARKIT)
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        assert set(file.files) == {"values", "names", "fps", "space", "start", "metadata"}
        assert file["values"].dtype == np.float32 and file["values"].shape == (90, 52)
        assert file["names"].tolist() == list(ARKIT_CHANNELS)
        assert (float(file["fps"]), str(file["space"]), float(file["start"])) == (29.97, "arkit", 0.0)
        assert json.loads(str(file["metadata"])) == {"model": "Ä"}
    motion_file.write(tmp_path / "v.npz", MESH)
    with np.load(tmp_path / "v.npz", allow_pickle=False) as file:
        assert file["vertices"].shape == (90, 17, 3)
        assert "values" not in file and file["names"].size == 0


def test_json_has_the_same_entries(tmp_path: Path):
    motion_file.write(tmp_path / "m.json", ARKIT)
    file = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert set(file) == {"values", "names", "fps", "space", "start", "metadata"}
    assert file["names"] == list(ARKIT_CHANNELS) and len(file["values"]) == 90
    assert json.loads(file["metadata"]) == {"model": "Ä"}


def test_csv_is_a_live_link_face_take(tmp_path: Path):
    motion_file.write(tmp_path / "m.csv", ARKIT)
    rows = list(csv.DictReader((tmp_path / "m.csv").open(encoding="utf-8", newline="")))
    header = list(rows[0])
    assert header[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"]
    assert header[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert header[53:] == [
        *("TongueOut", "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll"),
        *("RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
    ]
    assert {row["BlendShapeCount"] for row in rows} == {"61"}
    jaw = [float(row["JawOpen"]) for row in rows]
    np.testing.assert_allclose(jaw, VALUES[:, ARKIT_CHANNELS.index("jawOpen")], atol=1e-7)
    assert [rows[frame]["Timecode"] for frame in (0, 1, 29, 30)] == [
        *("00:00:00:00.000", "00:00:00:01.000", "00:00:00:29.000", "00:00:01:00.030")
    ]


@pytest.mark.parametrize("fps", [23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 48.5])
@pytest.mark.parametrize("start", [0.0, 3599.5])
def test_csv_comes_back_by_the_names_in_its_header(fps: float, start: float, tmp_path: Path):
    motion = replace(ARKIT, fps=fps, start=start)
    path = tmp_path / "m.csv"
    motion_file.write(path, motion)
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    order = [0, *reversed(range(1, len(lines[0])))]
    path.write_text(
        "\ufeff" + "\n".join(",".join(line[column] for column in order) for line in lines), encoding="utf-8"
    )
    back = motion_file.read(path)
    assert back.names == ARKIT_CHANNELS
    assert back.fps == pytest.approx(fps, abs=0.002)
    assert back.start == pytest.approx(start, abs=0.001)
    np.testing.assert_allclose(back.values, VALUES, atol=1e-7)


def test_csv_fills_in_weights_that_a_space_lacks(tmp_path: Path):
    names = ("mouthClose", "jawOpen")
    motion_file.write(tmp_path / "m.csv", Motion("inhouse", 30.0, VALUES[:, :2].copy(), names))
    back = motion_file.read(tmp_path / "m.csv")
    for column, name in enumerate(names):
        np.testing.assert_allclose(back.values[:, ARKIT_CHANNELS.index(name)], VALUES[:, column], atol=1e-7)
    assert back.values.sum() == pytest.approx(VALUES[:, :2].sum(), rel=1e-5)


@pytest.mark.parametrize("motion", [MESH, Motion("flame", 30.0, VALUES[:, :2].copy(), ("jaw0", "jaw1"))])
def test_csv_refuses_what_is_not_arkit(motion: Motion, tmp_path: Path):
    with pytest.raises(MotionFileError, match="write npz or json instead"):
        motion_file.write(tmp_path / "m.csv", motion)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(MotionFileError, match="cannot be written"):
        motion_file.write(tmp_path / "m.npz", ARKIT)
    with pytest.raises(MotionFileError, match="cannot be written"):
        motion_file.write(tmp_path / "nowhere" / "m.npz", ARKIT)
    with pytest.raises(MotionFileError, match=r"must end in \.npz, \.csv or \.json"):
        motion_file.write(tmp_path / "m.txt", ARKIT)
    assert [file.name for file in tmp_path.iterdir()] == ["m.npz"]


def broken(kind: str, folder: Path) -> Path:
    path = folder / f"m.{kind.partition(' ')[0]}"
    match kind:
        case "npz text" | "json text" | "csv text":
            path.write_text("This is a letter: it has no motion.\nNone.", encoding="utf-8")
        case "npz zip":
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("a.txt", "hello")
        case "npz pickle":
            np.savez(path, values=np.array([{"a": 1}], object), names=[], fps=1.0, space="", start=0, metadata="")
        case "npz columns":
            motion_file.write(path, replace(ARKIT, names=ARKIT_CHANNELS[:50]))
        case "npz nan":
            motion_file.write(path, replace(ARKIT, values=np.full((2, 52), np.nan, np.float32)))
        case "json number":
            path.write_text("3")
        case "csv empty":
            path.write_text("")
        case "csv header":
            path.write_text("Timecode,BlendShapeCount,JawOpen\n")
        case "csv short":
            path.write_text("Timecode,BlendShapeCount,JawOpen\n00:00:00:00.000,61\n")
    return path


@pytest.mark.parametrize(
    "kind",
    [
        *("npz text", "npz zip", "npz pickle", "npz columns", "npz nan", "npz missing", "json text", "json number"),
        *("csv text", "csv empty", "csv header", "csv short"),
    ],
)
def test_what_is_no_motion_file_is_refused(kind: str, tmp_path: Path):
    with pytest.raises(MotionFileError) as caught:
        motion_file.read(broken(kind, tmp_path))
    assert "\n" not in str(caught.value)
