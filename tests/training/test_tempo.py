# SPDX-License-Identifier: GPL-3.0-or-later
"""Another tempo keeps the pitch and puts every event where it belongs."""

import numpy as np
import pytest

from backend.training.lips.prosody import pitch
from backend.training.lips.tempo import at_tempo

RATE = 16000


@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.25, 1.6])
@pytest.mark.parametrize("hertz", [110.0, 210.0])
def test_pitch_stays_and_events_move(tempo, hertz):
    times = np.arange(3 * RATE) / RATE
    voice = np.sin(2 * np.pi * hertz * times) + 0.5 * np.sin(4 * np.pi * hertz * times)
    voice[round(1.2 * RATE) : round(1.4 * RATE)] = 0  # the lips are shut
    changed = at_tempo(voice.astype(np.float32), tempo, round(3 * RATE / tempo))
    assert len(changed) == round(3 * RATE / tempo)
    assert pitch(changed[8000:8960]) == pytest.approx(hertz, rel=0.03)
    loud = np.array([np.abs(changed[i : i + 160]).max() for i in range(1600, len(changed) - 3200, 160)])
    quiet = (np.flatnonzero(loud < 0.2) * 160 + 1600) / RATE
    assert quiet.min() == pytest.approx(1.2 / tempo, abs=0.03)
    assert quiet.max() == pytest.approx(1.4 / tempo, abs=0.03)


def test_behind_the_end_there_is_silence():
    changed = at_tempo(np.ones(RATE, np.float32), 2.0, RATE)
    assert np.abs(changed[RATE * 6 // 10 :]).max() == 0
