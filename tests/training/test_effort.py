# SPDX-License-Identifier: GPL-3.0-or-later
"""A whisper has no pitch but its formants, a shout a higher one, and both have every sound and gap where it was."""

from pathlib import Path

import numpy as np
import pytest

from backend.audio import decode
from backend.phonetics.phones import VOWELS, classes_of
from backend.training.lips.augment import with_effort
from backend.training.lips.config import AugmentConfig
from backend.training.lips.prosody import pitch
from backend.training.speech.corpus import read_pairs
from backend.training.speech.effort import shouted, whispered
from backend.training.speech.stops import band_level

RATE = 16000
SPEECH = [(decode(path), recording) for path, recording in read_pairs(Path(__file__).parents[1] / "data" / "speech")]
BOTH = pytest.mark.parametrize("changed", [whispered, shouted])


def chance(seed=1):
    return np.random.default_rng(seed)


def vowel(formants, hertz=110, seconds=1.0):
    """A voice's pulses through formants, in the middle of as much silence."""
    length = round(seconds * RATE)
    source = np.zeros(length)
    source[:: round(RATE / hertz)] = 1
    at = np.fft.rfftfreq(length, 1 / RATE)
    # from pulses to a voice that falls by 12 dB per octave, and lips that give 6 of them back
    spectrum = np.fft.rfft(source) * (1j * at / 100) / (1 + 1j * at / 100) ** 2
    for formant in formants:
        spectrum *= formant**2 / (formant**2 - at**2 + 80j * at)
    sound = np.fft.irfft(spectrum)
    return np.pad(0.3 * sound / np.abs(sound).max(), length // 2).astype(np.float32)


def pitches(samples, recording):
    """Hz in the middle of each vowel; 0 where there is no voice."""
    vowels = [phone for phone in recording.phones if not VOWELS.isdisjoint(classes_of(phone.name)[:1])]
    middles = [round((phone.start + phone.end) / 2 * RATE) for phone in vowels if phone.end - phone.start > 0.06]
    return np.array([pitch(samples[middle - 400 : middle + 400]) for middle in middles])


def peak_near(samples, formant):
    """Hz of the peak of a smooth spectrum that is nearest to a formant."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 800)[::200] * np.hanning(800)
    power = np.mean(np.abs(np.fft.rfft(frames)) ** 2, axis=0) * np.arange(401)
    smooth = np.convolve(power, np.hanning(17), "same")
    peaks = 20 * (1 + np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] > smooth[2:])))
    return peaks[np.argmin(np.abs(peaks - formant))]


def shifts(samples, changed, closures):
    """Seconds that the course of the level around each closure has moved by."""
    before, after = (np.maximum(band_level(sound, RATE), -60) for sound in (samples, changed))
    found = []
    for start, end in closures:
        first, last = round((start - 0.08) / 0.002), round((end + 0.08) / 0.002)
        if first > 25 and last < len(before) - 25:
            moved = range(-20, 21)
            alike = [np.corrcoef(before[first:last], after[first + each : last + each])[0, 1] for each in moved]
            found.append(0.002 * moved[int(np.argmax(alike))])
    return found


@BOTH
def test_length_and_numbers(changed):
    for samples, _ in SPEECH:
        heard = changed(samples, chance())
        assert heard.shape == samples.shape
        assert heard.dtype == np.float32
        assert np.isfinite(heard).all()
        assert 0 < np.abs(heard).max() <= 1.1 * np.abs(samples).max()


@BOTH
@pytest.mark.parametrize("length", [0, 1, 79, 16000])
def test_silence_stays_silence(changed, length):
    heard = changed(np.zeros(length, np.float32), chance())
    assert heard.shape == (length,)
    assert np.abs(heard).max(initial=0) == 0


@BOTH
def test_silence_around_speech_stays_silence(changed):
    heard = changed(vowel((500, 1500, 2500)), chance())
    assert np.abs(heard[:7000]).max() < 1e-4
    assert np.abs(heard[-7000:]).max() < 1e-4
    assert np.abs(heard[8500:-8500]).max() > 0.01


@BOTH
def test_the_same_chance_gives_the_same(changed):
    samples, _ = SPEECH[0]
    assert np.array_equal(changed(samples, chance(3)), changed(samples, chance(3)))
    assert not np.array_equal(changed(samples, chance(3)), changed(samples, chance(4)))


def test_a_whisper_has_no_pitch():
    before, after = (
        np.concatenate([pitches(sound(samples), recording) > 0 for samples, recording in SPEECH])
        for sound in (lambda samples: samples, lambda samples: whispered(samples, chance()))
    )
    assert before.mean() > 0.9
    assert after.mean() < 0.05


@pytest.mark.parametrize("formants", [(500, 1500, 2500), (700, 1200, 2600), (320, 2200, 2900)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_whisper_keeps_the_formants(formants, seed):
    heard = whispered(vowel(formants), chance(seed))
    for formant in formants:
        assert 0.95 < peak_near(heard, formant) / formant < 1.25


def test_a_whispered_s_is_as_loud_as_before():
    quieter = []
    for samples, recording in SPEECH:
        heard = whispered(samples, chance())
        for phone in (phone for phone in recording.phones if phone.name == "s"):
            inside = slice(round(phone.start * RATE), round(phone.end * RATE))
            quieter.append(20 * np.log10(np.std(heard[inside]) / np.std(samples[inside])))
    assert len(quieter) > 10
    assert abs(np.median(quieter)) < 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shout_is_as_much_higher_as_was_drawn(seed):
    factor = chance(seed).uniform(1.3, 1.9)
    for samples, recording in SPEECH:
        before, after = pitches(samples, recording), pitches(shouted(samples, chance(seed)), recording)
        both = (before > 0) & (after > 0) & (before * factor < 380)  # what `pitch` can hear
        if both.sum() >= 3:
            assert np.median(after[both] / before[both]) == pytest.approx(factor, rel=0.05), recording.source


def test_a_shout_is_brighter():
    def bright(samples):
        power = np.abs(np.fft.rfft(samples)) ** 2
        return power[len(power) // 8 : len(power) // 2].sum() / power[: len(power) // 8].sum()  # from 1 to 4 kHz

    assert np.median([bright(shouted(samples, chance())) / bright(samples) for samples, _ in SPEECH]) > 2


@BOTH
def test_closures_stay_where_they_were(changed):
    found = np.abs([s for samples, each in SPEECH for s in shifts(samples, changed(samples, chance()), each.closures)])
    assert len(found) > 80
    assert np.mean(found <= 0.010) > 0.97


def test_a_config_that_asks_for_neither_draws_nothing():
    random, samples = chance(), SPEECH[0][0]
    state = random.bit_generator.state
    assert with_effort(samples, AugmentConfig(), random) is samples
    assert random.bit_generator.state == state


def test_as_many_chunks_are_whispered_and_shouted_as_asked_for():
    config, random, samples = AugmentConfig(whispered=0.2, shouted=0.3), chance(), vowel((500, 1500), seconds=0.1)
    peaks = np.array([np.abs(with_effort(samples, config, random)).max() for _ in range(200)])
    assert np.mean(peaks < 0.2) == pytest.approx(0.2, abs=0.08)
    same = [with_effort(samples, config, random) is samples for _ in range(200)]
    assert np.mean(same) == pytest.approx(0.5, abs=0.1)
