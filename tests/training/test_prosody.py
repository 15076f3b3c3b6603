# SPDX-License-Identifier: GPL-3.0-or-later
"""Accents and brows on tones whose pitch, loudness and length are known."""

import numpy as np
import pytest

from backend.phonetics.phones import Phone
from backend.training.lips import prosody

RATE = 16000


def voiced(hertz, seconds, loudness=0.1):
    times = np.arange(round(seconds * RATE)) / RATE
    parts = np.arange(1, 8)[:, None]
    return loudness * (np.sin(2 * np.pi * hertz * parts * times) / parts).sum(axis=0)


def sung(*vowels):
    """Samples and phones of vowels (hertz, seconds, loudness), each after a t of 50 ms."""
    pieces, phones, now = [], [], 0.0
    for hertz, seconds, loudness in vowels:
        phones += [Phone("t", now, now + 0.05), Phone("aa", now + 0.05, now + 0.05 + seconds)]
        pieces += [np.zeros(round(0.05 * RATE)), voiced(hertz, seconds, loudness)]
        now += 0.05 + seconds
    return np.concatenate(pieces).astype(np.float32), phones


@pytest.mark.parametrize("hertz", [80, 123, 200, 330])
def test_pitch_of_a_voice(hertz):
    assert prosody.pitch(voiced(hertz, 0.06)) == pytest.approx(hertz, rel=0.04)


def test_noise_has_no_pitch():
    assert prosody.pitch(np.random.default_rng(1).normal(size=960)) == 0.0


@pytest.mark.parametrize("accented", [(200, 0.12, 0.1), (130, 0.26, 0.25)], ids=["higher", "longer and louder"])
def test_the_vowel_that_stands_out_is_accented(accented):
    plain = (130, 0.12, 0.1)
    samples, phones = sung(plain, plain, (125, 0.12, 0.1), accented, plain, (134, 0.12, 0.09))
    found = prosody.accents(samples, phones)
    assert int(np.argmax(found)) == 7
    assert sum(strength > 0 for strength in found) <= 2


def test_speech_without_vowels_to_compare_has_no_accents():
    samples, phones = sung((120, 0.1, 0.1), (220, 0.2, 0.3))
    assert prosody.accents(samples, phones) == [0.0] * 4


def test_brows_rise_smoothly_around_an_accent_and_come_down():
    phones = [Phone("sil", 0.0, 1.0), Phone("aa", 1.0, 1.2), Phone("sil", 1.2, 2.0)]
    times = np.arange(120) / 60
    height = prosody.brows([0.0, 1.0, 0.0], phones, times)
    assert times[np.argmax(height)] == pytest.approx(1.1, abs=0.02)
    assert 0.3 < height.max() <= 0.4
    assert np.abs(np.diff(height)).max() < 0.06
    assert height[:40].max() == height[100:].max() == 0
