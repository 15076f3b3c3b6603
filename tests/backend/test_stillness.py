# SPDX-License-Identifier: GPL-3.0-or-later
"""Trembling goes, movements stay: no lag, no window, and never a mouth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend import catalogue, checkpoint, pipeline, planning, stillness
from backend.audio import decode
from backend.face import ARKIT_CHANNELS
from backend.performance import Performance
from backend.planning import Request

FPS = 30.0
LID, GAZE, BROW = (ARKIT_CHANNELS.index(name) for name in ("eyeBlinkLeft", "eyeLookInLeft", "browInnerUp"))


def trembling(frames: int, size: float = 0.004) -> np.ndarray:
    """float32 [frames, 52]: a face at rest that is not still."""
    return np.random.default_rng(0).normal(0.1, size, (frames, 52)).astype(np.float32)


def at_once(face: np.ndarray) -> np.ndarray:
    return np.concatenate(list(stillness.stilled([face], ARKIT_CHANNELS, FPS)))


def speed(curve: np.ndarray) -> float:
    """Mean change from frame to frame."""
    return float(np.abs(np.diff(curve, axis=0)).mean())


def test_trembling_goes_and_the_mouth_is_not_touched():
    face = trembling(300)
    calm = at_once(face)
    assert speed(calm[:, LID]) < 0.06 * speed(face[:, LID])
    mouth = [column for column, name in enumerate(ARKIT_CHANNELS) if name.startswith(("jaw", "mouth", "tongue"))]
    assert np.array_equal(calm[:, mouth], face[:, mouth])
    assert sorted([*mouth, *stillness.free(ARKIT_CHANNELS)]) == list(range(52))


def test_a_blink_a_glance_and_a_raised_brow_stay_where_they_were_and_as_large():
    face = trembling(240)
    blink = np.interp(np.arange(240), [60, 62, 63, 68], [0, 0.9, 0.9, 0], 0, 0)
    glance = np.interp(np.arange(240), [100, 102], [0.0, 0.3])
    raised = 0.4 * (0.5 + 0.5 * np.cos(np.pi * np.clip((np.arange(240) - 180) / 8, -1, 1)))
    for column, curve in ((LID, blink), (GAZE, glance), (BROW, raised)):
        face[:, column] += curve
    calm = at_once(face)
    assert np.abs(calm - face).max() < stillness.BAND
    assert calm[:, LID].max() > face[:, LID].max() - 0.01
    assert calm[61, LID] == pytest.approx(0.55, abs=0.02) and calm[64, LID] == pytest.approx(0.82, abs=0.02)
    assert calm[101, GAZE] == pytest.approx(0.25, abs=0.02)  # halfway, as it was
    assert abs(int(calm[:, BROW].argmax()) - 180) <= 1 and calm[:, BROW].max() > 0.48


def test_slow_movement_is_neither_late_nor_smaller():
    seconds = np.arange(600) / FPS
    slow = (0.5 + 0.05 * np.sin(2 * np.pi * 0.4 * seconds)).astype(np.float32)
    trembles = slow + 0.004 * np.random.default_rng(1).standard_normal(600).astype(np.float32)
    calm = stillness.without_trembling(trembles, FPS)
    assert np.abs(calm - slow)[12:-12].max() < 0.01
    shifts = [np.corrcoef(calm[20:-20], slow[20 + lag : 580 + lag])[0, 1] for lag in range(-5, 6)]
    assert int(np.argmax(shifts)) == 5


@pytest.mark.parametrize("sizes", [(1,) * 90, (90,), (30, 1, 40, 19), (12, 13, 65)])
def test_frames_are_the_same_bit_by_bit_wherever_pieces_are_cut(sizes: tuple[int, ...]):
    takes = np.stack([trembling(90, 0.02), trembling(90, 0.1)], axis=1)
    pieces = np.split(takes, np.cumsum(sizes)[:-1])
    found = list(stillness.stilled(pieces, ARKIT_CHANNELS, FPS))
    assert np.array_equal(np.concatenate(found), at_once(takes))


def test_one_frame_and_none_are_no_trouble():
    assert np.array_equal(at_once(trembling(1)), trembling(1))
    assert list(stillness.stilled([], ARKIT_CHANNELS, FPS)) == []


def test_what_artists_get_is_still_and_raw_numbers_are_not():
    loaded = checkpoint.load(catalogue.find("diffusion"))
    samples = decode(Path(__file__).resolve().parents[2] / "demo" / "speech" / "demo.flac")
    free, found = stillness.free(ARKIT_CHANNELS), {}
    for raw in (False, True):
        planned = planning.plan(loaded, Request(raw=raw, performance=Performance(seed=3)))
        found[raw] = np.concatenate([chunk.values for chunk in pipeline.generate(loaded, samples, planned)])
    still, trembles = (np.abs(np.diff(np.clip(found[raw][:, free], 0, 1), axis=0)) for raw in (False, True))
    assert np.median(still) < 0.5 * np.median(trembles)
    assert np.percentile(still, 99.5) == pytest.approx(np.percentile(trembles, 99.5), rel=0.1)
