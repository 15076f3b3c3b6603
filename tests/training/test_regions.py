# SPDX-License-Identifier: GPL-3.0-or-later
"""Region files in every layout they are published in, and broken ones."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from backend.face import FaceSpace, annotation, arkit
from backend.training.errors import CorpusError
from backend.training.motion import regions

MASKS = {"lips": np.array([4, 2]), "forehead": np.array([7, 8]), "eye_region": np.array([8, 9]), "nose": np.array([1])}


def written(path: Path, content: object) -> Path:
    match path.suffix:
        case ".npy":
            np.save(path, content)
        case ".pkl":
            path.write_bytes(pickle.dumps(content, protocol=2))
        case _:
            path.write_text(str(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content", "indices"),
    [
        ("lve.txt", "7, 3, 12, 3", [3, 7, 12]),
        ("fdd.txt", "5,4", [4, 5]),
        ("weighted_mouth_mask.txt", "0.0\n0.05\n0.1\n0.11\n1.0\n", [3, 4]),
        ("forehead_mask.txt", "1e0\n0.4\n0.5\n", [0, 2]),
        ("mouth_idx.npy", np.array([9, 1], np.int32), [1, 9]),
        ("mouth_mask.npy", np.array([True, False, True]), [0, 2]),
    ],
)
def test_published_layouts(tmp_path: Path, name: str, content: object, indices: list[int]) -> None:
    found = regions.read(written(tmp_path / name, content))
    assert found.tolist() == indices
    assert found.dtype == np.int64


def test_flame_masks_are_joined_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "FLAME_masks.pkl", MASKS)
    assert regions.read(path, regions.FLAME_LIPS).tolist() == [2, 4]
    assert regions.read(path, regions.FLAME_UPPER_FACE).tolist() == [7, 8, 9]
    with pytest.raises(CorpusError, match="has no region scalp; there are eye_region, forehead, lips, nose"):
        regions.read(path, ("scalp",))
    with pytest.raises(CorpusError, match="has regions to choose from; there are eye_region"):
        regions.read(path)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "masks.pkl"
    path.write_bytes(b"c__builtin__\nopen\n(S'%b'\nS'w'\ntR." % str(mark).encode())
    with pytest.raises(CorpusError, match="holds code"):
        regions.read(path, ("lips",))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lve.txt", ""),
        ("lve.txt", "3, four"),
        ("lve.txt", "3, -1"),
        ("mouth.npy", np.array([[1, 2]])),
        ("mouth.npy", np.array([1.5])),
        ("mouth.npy", np.array([False, False])),
        ("lve.json", "[1]"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: object) -> None:
    with pytest.raises(CorpusError, match=name):
        regions.read(written(tmp_path / name, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.npy cannot be read: No such file"):
        regions.read(tmp_path / "gone.npy")


def test_regions_must_lie_in_the_face() -> None:
    space = FaceSpace("mesh", "vertices", 25.0, 9)
    assert regions.with_regions(space, np.array([2]), None).lips.tolist() == [2]
    with pytest.raises(CorpusError, match="upper face region has the index 3; mesh has 3 points"):
        regions.with_regions(space, None, np.array([3]))


def test_arkit_controls_know_their_regions() -> None:
    inhouse, etf = annotation("inhouse_blendshape_weight", 51, 30), annotation("3DETF_blendshape_weight", 52, 30)
    for space in (arkit(), inhouse, etf):
        known = regions.of_controls(space)
        lips, upper = ({space.channels[number] for number in region} for region in (known.lips, known.upper_face))
        assert len(lips) == 27
        assert len(upper) == 19
        assert {"jawOpen", "mouthClose"} <= lips
        assert {"browInnerUp", "eyeBlinkLeft"} <= upper
    assert regions.of_controls(FaceSpace("vertices", "vertices", 25.0, 9)).lips is None
