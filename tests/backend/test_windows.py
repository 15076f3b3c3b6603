# SPDX-License-Identifier: GPL-3.0-or-later
"""Long sounds: where windows lie and how their motion is joined."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from backend.windows import SAMPLE_RATE, Window, cross_fade, frame_count, windows

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "long_audio"
LENGTHS = json.loads((GOLDEN / "config.json").read_text(encoding="utf-8"))["lengths"]


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: length["tag"])
def test_windows_are_those_of_the_official_code(length: dict) -> None:
    expected = [Window(piece["start"], piece["stop"]) for piece in length["pieces"]]
    assert windows(length["samples"]) == expected


@pytest.mark.parametrize("length", LENGTHS, ids=lambda length: length["tag"])
@pytest.mark.parametrize("fps", [25, 30])
def test_the_joined_motion_is_that_of_the_official_code(length: dict, fps: int) -> None:
    arrays = np.load(GOLDEN / "cases.npz")
    key = f"{length['tag']}.fps{fps}"
    pieces = [arrays[f"{key}.piece{number}"] for number in range(len(length["pieces"]))]
    assert [len(piece) for piece in pieces] == [
        frame_count(window.stop - window.start, fps) for window in windows(length["samples"])
    ]
    joined = np.concatenate(list(cross_fade(pieces, fps)))
    assert joined.dtype == np.float32
    np.testing.assert_allclose(joined, arrays[f"{key}.merged"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("seconds", [0.01, 5, 24.99, 25, 25.0001, 44.9, 45, 45.01, 199, 3600])
def test_windows_cover_every_sample_and_the_last_one_is_over_five_seconds(seconds: float) -> None:
    samples = round(seconds * SAMPLE_RATE)
    cut = windows(samples)
    assert cut[0].start == 0
    assert cut[-1].stop == samples
    assert all(later.start == earlier.stop - 5 * SAMPLE_RATE for earlier, later in itertools.pairwise(cut))
    assert all(window.stop - window.start <= 25 * SAMPLE_RATE for window in cut)
    assert len(cut) == 1 or cut[-1].stop - cut[-1].start > 5 * SAMPLE_RATE


@pytest.mark.parametrize(("samples", "fps", "frames"), [(800, 30, 2), (1333, 30, 2), (320, 25, 0), (960, 25, 2)])
def test_half_frames_go_to_the_even_side(samples: int, fps: float, frames: int) -> None:
    assert frame_count(samples, fps) == frames


def test_frames_come_out_as_soon_as_no_window_can_change_them() -> None:
    taken = []

    def pieces():
        for number in range(3):
            taken.append(number)
            yield np.full((250, 2, 3), number, np.float32)

    chunks = []
    for chunk in cross_fade(pieces(), 10):
        chunks.append((len(taken), len(chunk)))
        assert chunk.shape[1:] == (2, 3)
    assert chunks == [(1, 200), (2, 200), (3, 200), (3, 50)]


def test_the_same_motion_twice_stays_as_it_is() -> None:
    motion = np.random.default_rng(0).normal(size=(45 * 60, 4)).astype(np.float32)
    joined = np.concatenate(list(cross_fade([motion[: 25 * 60], motion[20 * 60 :]], 60)))
    np.testing.assert_allclose(joined, motion, atol=1e-6)


def test_a_short_motion_comes_in_one_piece() -> None:
    motion = np.ones((60, 4), np.float32)
    assert [len(chunk) for chunk in cross_fade([motion], 30)] == [60]
    assert list(cross_fade([], 30)) == []


def test_windows_that_begin_between_frames_are_refused() -> None:
    with pytest.raises(ValueError, match=r"29\.97"):
        list(cross_fade([], 29.97))
