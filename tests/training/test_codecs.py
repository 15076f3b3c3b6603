# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound through real codecs: something is lost, but never the time at which it was said."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from backend.audio import decode
from backend.training.lips.codecs import CODECS, coded

SPEECH = Path(__file__).parents[2] / "demo" / "speech" / "demo.flac"


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_costs_quality_and_keeps_the_time(name):
    samples = decode(SPEECH)[: 4 * 16000]
    heard = coded(samples, CODECS[name], Random(3))
    assert len(heard) == len(samples)
    shifts = range(-80, 81)
    likeness = [np.dot(np.roll(heard, -shift)[1000:-1000], samples[1000:-1000]) for shift in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= 8  # half a millisecond
    assert 0.8 < np.corrcoef(heard, samples)[0, 1] < 0.99999
