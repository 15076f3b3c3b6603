# SPDX-License-Identifier: GPL-3.0-or-later
"""Augmentation keeps the timing; what is added in a pause stays in it; sounds that are no speech are what they say."""

import dataclasses

import numpy as np
import pytest

from backend.training.lips.augment import interrupted, mixed, vary
from backend.training.lips.config import AugmentConfig
from backend.training.speech import sounds

RATE = 16000
BANK = sounds.bank(2 * len(sounds.MAKERS), 4.0, seed=3)


def clicks(*seconds):
    """Two seconds of almost nothing but a sharp click at each of some times."""
    sound = 1e-4 * np.random.default_rng(1).standard_normal(2 * RATE)
    for second in seconds:
        sound[round(second * RATE) : round(second * RATE) + 40] = 0.5
    return sound.astype(np.float32)


def test_rooms_microphones_and_cheap_equipment_keep_the_time():
    always = AugmentConfig(clean=0, reverb=1, equalize=1, band=0, noise=0, clip=1, quantize=1)
    chunks = np.stack([clicks(0.5, 1.5)] * 8)
    heard = vary(chunks, BANK, always, np.random.default_rng(2))
    assert heard.shape == chunks.shape
    shifts = np.arange(-400, 401)
    for chunk, original in zip(np.abs(heard), np.abs(chunks), strict=True):
        likeness = [np.dot(np.roll(chunk, -shift), original) for shift in shifts]
        assert abs(shifts[int(np.argmax(likeness))]) < 0.004 * RATE
    assert not np.allclose(heard[0], heard[1])


def test_a_share_of_the_chunks_is_spared():
    spared = dataclasses.replace(AugmentConfig(), clean=1.0)
    chunks = np.stack([clicks(0.5)] * 4)
    assert np.array_equal(vary(chunks, BANK, spared, np.random.default_rng(2)), chunks)


def test_an_interruption_stays_inside_a_pause():
    chunk = 0.1 * np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32)
    pauses = np.zeros(120, bool)
    pauses[60:100] = True
    pauses[110:115] = True  # too short for anything
    for seed in range(12):
        heard = interrupted(chunk, pauses, BANK, AugmentConfig(gasps=0.5), np.random.default_rng(seed))
        changed = np.flatnonzero(heard != chunk)
        assert RATE <= changed.min() < changed.max() < RATE * 100 / 60


def test_speech_without_a_pause_is_not_interrupted():
    chunk = clicks(0.5)
    pauses = np.arange(120) % 20 < 10
    assert interrupted(chunk, pauses, BANK, AugmentConfig(gasps=0.5), np.random.default_rng(0)) is chunk


def brightness(sound):
    """Share of the energy above 4 kHz."""
    energy = np.abs(np.fft.rfft(sound)) ** 2
    return energy[len(energy) // 2 :].sum() / energy.sum()


def test_coughs_with_gasps_are_brighter():
    plain, gasping = (
        [sounds.coughs(np.random.default_rng(seed), 2 * RATE, gasps) for seed in range(20)] for gasps in (0.0, 1.0)
    )
    assert np.mean([brightness(sound) for sound in gasping]) > 1.3 * np.mean([brightness(sound) for sound in plain])
    assert all(np.isfinite(sound).all() for sound in gasping)


@pytest.mark.parametrize(("white", "flat"), [(0.0, 0.0), (0.75, 0.75)])
def test_as_much_of_the_noise_is_white_as_is_asked_for(white, flat):
    hum = np.sin(2 * np.pi * 100 / RATE * np.arange(2 * RATE)).astype(np.float32)
    chunks = np.tile(hum, (200, 1))
    config = AugmentConfig(noise=1.0, white=white)
    added = mixed(chunks, np.tile(hum, (len(BANK), 1)), config, np.random.default_rng(4)) - chunks
    assert np.mean([brightness(noise) > 0.4 for noise in added]) == pytest.approx(flat, abs=0.08)


def test_white_noise_is_as_loud_as_is_asked_for():
    hum = np.sin(2 * np.pi * 100 / RATE * np.arange(2 * RATE)).astype(np.float32)
    config = AugmentConfig(noise=1.0, white=0.75, white_from=4.0, white_to=9.0)
    chunks = np.tile(hum, (60, 1))
    added = mixed(chunks, np.tile(hum, (len(BANK), 1)), config, np.random.default_rng(4)) - chunks
    white = [noise for noise in added if brightness(noise) > 0.4]
    below = [20 * np.log10(hum.std() / noise.std()) for noise in white]
    assert 3.9 < min(below) < 5.5 and 7.5 < max(below) < 9.1


@pytest.mark.parametrize("maker", sounds.MAKERS, ids=lambda maker: maker.__name__)
def test_sounds_are_numbers_and_differ_from_each_other(maker):
    first, other = (maker(np.random.default_rng(seed), RATE) for seed in (1, 2))
    assert first.shape == (RATE,)
    assert np.isfinite(first).all()
    assert first.std() > 0
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.9


def test_a_bank_has_one_loudness():
    assert np.sqrt(np.mean(BANK**2, axis=1)) == pytest.approx(1, rel=1e-3)
