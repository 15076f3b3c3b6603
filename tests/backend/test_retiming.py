# SPDX-License-Identifier: GPL-3.0-or-later
"""A p that begins and ends between two frames is still seen; everything else is linear in time."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from backend.closures import NEARLY_SHUT, opening
from backend.face import ARKIT_CHANNELS
from backend.retiming import retimed

OWN = 60.0
APERTURE = partial(opening, names=ARKIT_CHANNELS)
JAW, CLOSE = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")


def speech(frames: int = 120, shut: tuple[range, ...] = ()) -> np.ndarray:
    """float32 [frames, 52]: a jaw that moves slowly, lips that meet in some frames."""
    values = np.zeros((frames, 52), np.float32)
    values[:, JAW] = 0.5 + 0.2 * np.sin(np.arange(frames) / 9)
    for closure in shut:
        values[closure, CLOSE] = values[closure, JAW]
    return values


def at(values: np.ndarray, fps: float, cuts: tuple[int, ...] = (), *, kept: bool = True) -> np.ndarray:
    frames = round(len(values) * fps / OWN)
    pieces = np.split(values, cuts)
    result = np.concatenate(list(retimed(pieces, OWN, fps, frames, APERTURE if kept else None)))
    assert result.shape == (frames, *values.shape[1:]) and result.dtype == np.float32
    return result


def closed(values: np.ndarray, fps: float) -> np.ndarray:
    """Seconds of the frames in which lips meet."""
    return np.flatnonzero(APERTURE(values) < NEARLY_SHUT) / fps


@pytest.mark.parametrize("fps", [12.0, 15.0, 23.976, 24.0, 25.0, 29.97, 30.0, 48.0, 50.0, 72.0])
def test_no_closure_falls_between_two_frames(fps: float):
    lost = 0
    for first in range(40, 60):
        values = speech(shut=(range(first, first + 2),))
        seen = closed(at(values, fps), fps)
        assert len(seen) >= 1
        assert abs(seen - (first + 0.5) / OWN).max() <= 0.5 / fps + 1 / OWN
        lost += len(closed(at(values, fps, kept=False), fps)) == 0
    assert lost > 0 or fps > 29, "nothing here ever falls between two frames"


def test_only_the_frame_beside_a_lost_closure_shows_another_moment():
    values = speech(shut=(range(41, 43), range(70, 80)))
    kept, linear = at(values, 24.0), at(values, 24.0, kept=False)
    changed = np.flatnonzero((kept != linear).any(axis=1))
    assert changed.tolist() == [16]  # at 40 of 60 a second; the long closure has frames of its own
    np.testing.assert_array_equal(kept[16], values[41])


def test_it_does_not_matter_where_the_pieces_were_cut():
    values = speech(240, tuple(range(first, first + 2) for first in range(5, 230, 7)))
    whole = at(values, 24.0)
    for cuts in ((1, 2, 3, 4), (101, 102, 103), tuple(range(1, 240))):
        np.testing.assert_allclose(at(values, 24.0, cuts), whole, atol=1e-5)


def test_each_take_keeps_its_own_closures():
    takes = [speech(shut=(range(41, 43),)), speech(), speech(shut=(range(43, 45),))]
    together = at(np.stack(takes, axis=1), 24.0, (50, 90))
    for number, take in enumerate(takes):
        np.testing.assert_allclose(together[:, number], at(take, 24.0), atol=1e-6)


def test_one_frame_and_no_speech():
    assert len(at(speech(3), 24.0)) == 1
    np.testing.assert_allclose(at(speech(), 60.0), speech(), atol=1e-6)
