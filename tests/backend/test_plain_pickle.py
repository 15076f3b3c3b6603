# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickled dictionaries of arrays, read without running them; more hostile ones are in test_hostile_flame_files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from backend.foreign import plain_pickle
from backend.foreign.plain_pickle import PickleError, read_arrays


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("number_type", ["<f4", ">f8", "<i4", "<i8"])
def test_arrays_come_back_and_the_rest_is_passed_over(tmp_path: Path, protocol: int, number_type: str):
    path = tmp_path / "templates.pkl"
    face = np.arange(12).reshape(4, 3).astype(number_type)
    held = {"F2": face, 3: np.asfortranarray(face), "name": "F2", "size": 1.5, "more": [face], "mean": np.float32(2)}
    path.write_bytes(pickle.dumps(held, protocol))
    arrays = read_arrays(path)
    assert list(arrays) == ["F2", "3"]
    for array in arrays.values():
        np.testing.assert_array_equal(array, face)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"cos\nsystem\n(S'touch {mark}'\ntR.", r"holds code \('os\.system'\) instead of arrays; nothing was run"),
        (pickle.dumps([1, 2]), "is damaged or no pickled dictionary"),
        (pickle.dumps({"a": np.zeros(4)})[:-20], "is damaged or no pickled dictionary"),
        (b"", "is damaged or no pickled dictionary"),
    ],
)
def test_other_pickles_are_one_sentence(tmp_path: Path, content: bytes, sentence: str):
    path, mark = tmp_path / "templates.pkl", tmp_path / "ran"
    path.write_bytes(content.replace(b"{mark}", str(mark).encode()))
    with pytest.raises(PickleError, match=rf"templates\.pkl {sentence}"):
        read_arrays(path)
    assert not mark.exists()


def test_missing_and_enormous_files_are_one_sentence(tmp_path: Path):
    with pytest.raises(PickleError, match=r"none\.pkl cannot be read"):
        read_arrays(tmp_path / "none.pkl")
    with (tmp_path / "large.pkl").open("wb") as file:
        file.truncate(plain_pickle.MOST_BYTES + 1)
    with pytest.raises(PickleError, match=r"large\.pkl is larger than any file of its kind"):
        read_arrays(tmp_path / "large.pkl")
