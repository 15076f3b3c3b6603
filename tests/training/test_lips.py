# SPDX-License-Identifier: GPL-3.0-or-later
"""The score: known motion gives known figures."""

import numpy as np
import pytest

from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import Phone
from backend.training.lips.score import Score

FPS = 60.0
PHONES = [
    *(Phone("sil", 0.0, 0.6), Phone("m", 0.6, 0.7), Phone("aa", 0.7, 0.9), Phone("b", 0.9, 1.0)),
    *(Phone("iy", 1.0, 1.2), Phone("p", 1.2, 1.3), Phone("ow", 1.3, 1.5), Phone("sil", 1.5, 2.1)),
]
CLOSURES = [(0.61, 0.69), (0.92, 0.98), (1.22, 1.28)]


def jaw(*opened):
    """A mouth open by (start, end, amount) and shut elsewhere."""
    values = np.zeros((126, 52), np.float32)
    for start, end, amount in opened:
        values[round(start * FPS) : round(end * FPS), ARKIT_CHANNELS.index("jawOpen")] = amount
    return values


def figures(values):
    score = Score()
    score.add(values, FPS, PHONES, CLOSURES)
    return score.figures()


def test_right_motion_scores_one():
    right = figures(jaw((0.7, 0.9, 0.5), (1.0, 1.2, 0.1), (1.3, 1.5, 0.3)))
    assert (right["recall"], right["precision"], right["f1"]) == (1, 1, 1)
    assert right["vowel_jaw"] > 0.95
    assert abs(right["lag_ms"]) <= 17
    assert right["silence_p95"] == 0


def test_a_missed_closure_costs_recall():
    missed = figures(jaw((0.7, 1.2, 0.5), (1.3, 1.5, 0.3)))
    assert missed["recall"] == pytest.approx(2 / 3)
    assert missed["precision"] == 1


def test_a_false_closure_costs_precision():
    false = figures(jaw((0.7, 0.78, 0.5), (0.83, 0.9, 0.5), (1.0, 1.2, 0.1), (1.3, 1.5, 0.3)))
    assert false["recall"] == 1
    assert false["precision"] == pytest.approx(3 / 4)


def test_late_motion_shows_as_lag():
    late = np.roll(jaw((0.7, 0.9, 0.5), (1.0, 1.2, 0.1), (1.3, 1.5, 0.3)), 6, axis=0)
    assert figures(late)["lag_ms"] == pytest.approx(100, abs=20)


def test_an_open_mouth_in_silence_shows():
    assert figures(jaw((0.0, 2.1, 0.4)))["silence_p95"] == pytest.approx(0.4)
