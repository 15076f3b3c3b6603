# SPDX-License-Identifier: GPL-3.0-or-later
"""Effort: the same speech whispered or shouted, every sound at its time; made from plain recordings, not recorded.

Source and filter are taken apart: linear prediction in short frames finds the filter, and the source becomes breath
or a higher voice. Sounds without a voice (p, t, k, hissing, silence) are kept, and so is the noise of the room.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from backend.audio import SAMPLE_RATE

from .spectra import sounds_of, spectra_of

Effort = Literal["plain", "whispered", "shouted"]
"""How a voice is used; plain speech is left as it is."""
Generator = np.random.Generator

_HOP = 80
"""Samples from one frame to the next; the middle of each is at a multiple of it."""
_SIZE = 640
"""Samples of a frame: two periods of the lowest voices."""
_WINDOW = np.pad(np.hanning(401)[:-1], 120).astype(np.float32)
"""The 25 ms of a frame that are filtered, with room for what a filter adds at both ends."""
_PARTS = _SIZE // _HOP
_HERTZ = np.fft.rfftfreq(_SIZE, 1 / SAMPLE_RATE)
_EMPHASIS = np.abs(1 - 0.95 * np.exp(-2j * np.pi * _HERTZ / SAMPLE_RATE))
"""Raises the treble before formants are looked for; else the tilt of a voice would hide the upper ones."""
_ORDER = 18
_NEAR = np.exp(-0.5 * (2 * np.pi * 40 / SAMPLE_RATE * np.arange(_ORDER + 1)) ** 2)
"""Blurs a spectrum by some 40 Hz, so that a high voice's harmonics are not taken for formants."""
_LOWEST, _HIGHEST = 65.0, 500.0
"""Hz of voices before a change."""
_TOP = 550.0
"""Hz above which the middle of a voice is not raised."""
_LOW_CUT = 1 / (1 + (80 / (_HERTZ + 1)) ** 4)
"""A whisper has nothing below; a hum or rumble that came and went with the voice would tell where it had been."""
_FOLDS = _LOW_CUT**2 / (1 + (_HERTZ / 1200) ** 2)
"""Weight of power where a pitch is looked for: rooms hum below it, and the upper part is noisy in many voices."""


def whispered(samples: np.ndarray, chance: Generator) -> np.ndarray:
    """Speech float32 [n] at 16 kHz as a whisper, float32 [n]: nothing in it has a pitch.

    Whispering raises the first resonances by 255, 115 and 125 Hz on average (Swerdlin, Smith and Wolfe, "The effect of
    whisper and creak vocal mechanisms on vocal tract resonances", JASA 2010); here by 8 to 20 % and less, so that
    vowels keep apart. Consonants without a voice keep their level to within 3.5 dB, those with one lose it (Jovičić and
    Šarić, "Acoustic analysis of consonants in whispered speech", Journal of Voice 2008). By how much is our choice: the
    voices of noisy recordings must not drown.
    """
    higher, slope, softer = 1 + chance.uniform(0.08, 0.20), chance.uniform(3, 6), chance.uniform(0, 5)
    share = _widened(_voiced(_pitches(samples)[1], 0.3))
    below = np.log2(np.clip(_HERTZ, 30, 3000) / 3000)  # octaves: breath lacks what makes a voice dark
    filters = _formants(samples, wider=0.985) / _EMPHASIS
    filters = np.maximum(_warped(filters, higher) * 10 ** ((slope * below - softer) / 20), _room(filters))
    breath = _through(chance.standard_normal(len(samples)), filters)
    share = _by_sample(share, len(samples))
    return _through((1 - share) * samples + share * breath, _LOW_CUT).astype(np.float32)


def shouted(samples: np.ndarray, chance: Generator) -> np.ndarray:
    """Speech float32 [n] at 16 kHz as a shout, float32 [n]: its pitch is 1.3 to 1.9 times as high, its peak the same.

    From 0.3 m to 187.5 m away the pitch rises by a factor close to two, voiced sounds get louder by some 30 dB, others
    by less, the upper part of the spectrum by more than the lower (Andersson, Eriksson and Traunmüller, "Cries and
    whispers", TMH-QPSR 1996), and the first formant rises (Traunmüller and Eriksson, "Acoustic effects of variation in
    vocal effort by men, women, and children", JASA 2000). Vowels also last longer; here they do not.
    """
    factor, opened = chance.uniform(1.3, 1.9), 1 + chance.uniform(0.10, 0.25)
    brighter, louder, driven = chance.uniform(6, 12), chance.uniform(4, 8), chance.uniform(0.4, 1.3)
    periods, likeness = _pitches(samples)
    voiced = _voiced(likeness, 0.5)
    formants = _formants(samples)
    moved = np.clip(_warped(formants, opened) / np.maximum(formants, 1e-9), 0.25, 4)
    decibels = louder + brighter * np.clip(np.log2(np.maximum(_HERTZ, 1) / 500) / 2, 0, 1)
    over_room = 1 - np.minimum(_room(formants) / np.maximum(formants, 1e-9), 1)
    gains = (moved * 10 ** (decibels / 20)) ** (over_room * (voiced * _loud(samples))[:, None])
    raised = _raised(samples, periods, voiced, factor)
    return _compressed(_through(raised, gains), driven, float(np.abs(samples).max(initial=0)))


def _pitches(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each frame: the period in samples, and how much alike two of them are (0 to 1); float64 [frames] both."""
    frames = _frames(samples)
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    shape = sounds_of(np.abs(spectra_of(window, 2 * _SIZE)) ** 2)
    power = np.abs(spectra_of((frames - frames.mean(axis=1, keepdims=True)) * window, 2 * _SIZE)) ** 2
    power *= np.interp(np.arange(_SIZE + 1) / 2, np.arange(len(_FOLDS)), _FOLDS)
    lags = np.arange(round(SAMPLE_RATE / _HIGHEST), round(SAMPLE_RATE / _LOWEST))
    alike = sounds_of(power)
    alike = alike[:, lags] / np.maximum(alike[:, :1], 1e-9) * (shape[0] / shape[lags])
    early = alike - 0.1 * np.log2(lags / lags[0])  # two periods are as much alike as one
    sure = early.argmax(axis=1)[alike.max(axis=1) > 0.7]
    usual = float(np.median(lags[sure])) if len(sure) else 100.0
    early[:, np.abs(np.log2(lags / usual)) > 0.8] = -1  # octaves: what is further away is a slip
    best = early.argmax(axis=1)
    return lags[best].astype(float), np.clip(alike[np.arange(len(best)), best], 0, 1)


def _voiced(likeness: np.ndarray, least: float) -> np.ndarray:
    """float64 [frames], 0 to 1: 1 where neighbouring periods are clearly more alike than `least`."""
    return np.clip((likeness - least) / 0.1, 0, 1)


def _widened(shares: np.ndarray) -> np.ndarray:
    """float64 [frames] that reaches 10 ms further to both sides, where a voice is too irregular to be found."""
    padded = np.pad(shares, 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 5).max(axis=1)


def _loud(samples: np.ndarray) -> np.ndarray:
    """float64 [frames], 0 to 1: 0 for all that is 30 dB below the loud parts, as closures and rooms are."""
    level = 10 * np.log10(np.mean((_frames(samples) * _WINDOW) ** 2, axis=1) + 1e-12)
    return np.clip((level - np.percentile(level, 95) + 30) / 10, 0, 1)


def _formants(samples: np.ndarray, wider: float = 1.0) -> np.ndarray:
    """float64 [frames, bins]: the filters that make sound with raised treble out of white noise with a deviation of 1.

    `wider` below 1 makes formants broader.
    """
    power = np.abs(spectra_of(_frames(samples) * _WINDOW)) ** 2 * _EMPHASIS**2
    alike = sounds_of(power)[:, : _ORDER + 1] * _NEAR
    alike[:, 0] = alike[:, 0] * 1.0001 + 1e-12
    predictor, left = _predicted(alike)
    response = np.abs(spectra_of(predictor * wider ** np.arange(_ORDER + 1), _SIZE))
    return np.sqrt(left / np.sum(_WINDOW**2))[:, None] / response


def _room(filters: np.ndarray) -> np.ndarray:
    """float64 [bins]: how loud the recording is at its quietest, out of filters [frames, bins].

    Digital silence does not count: it was put around a recording.
    """
    heard = filters.max(axis=1) > 1e-6
    return np.percentile(filters[heard], 5, axis=0) if heard.any() else np.zeros(filters.shape[1])


def _predicted(alike: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levinson and Durbin's recursion: of autocorrelations [frames, order + 1] the predictors, and errors [frames]."""
    predictor = np.zeros_like(alike)
    predictor[:, 0] = 1
    left = alike[:, 0].copy()
    for order in range(1, alike.shape[1]):
        reflected = -np.sum(predictor[:, :order] * alike[:, order:0:-1], axis=1) / left
        predictor[:, : order + 1] += reflected[:, None] * predictor[:, order::-1]
        left *= 1 - reflected**2
    return predictor, left


def _warped(filters: np.ndarray, factor: float) -> np.ndarray:
    """Filters [frames, bins], below 1 kHz moved up by `factor`, at 3 kHz by a third of that and at 8 kHz not at all."""
    knots = np.array([0.0, 1000.0, 3000.0, SAMPLE_RATE / 2])
    places = np.interp(_HERTZ, knots * [1, factor, 1 + (factor - 1) / 3, 1], knots) / _HERTZ[1]
    low = np.minimum(places.astype(int), len(_HERTZ) - 2)
    return filters[:, low] * (1 - places + low) + filters[:, low + 1] * (places - low)


def _through(source: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """A sound [n] through the gains [frames, bins] of its moments, float64 [n]."""
    frames = sounds_of(spectra_of(_frames(source) * _WINDOW) * gains.astype(np.float32))
    blocks = np.zeros((len(frames) + _PARTS - 1, _HOP))
    for part in range(_PARTS):
        blocks[part : part + len(frames)] += frames[:, part * _HOP : (part + 1) * _HOP]
    return blocks.ravel()[_SIZE // 2 :][: len(source)] * (_HOP / _WINDOW.sum())


def _raised(samples: np.ndarray, periods: np.ndarray, voiced: np.ndarray, factor: float) -> np.ndarray:
    """A sound [n] with its pitch up to `factor` times as high, float64 [n]; formants and times stay.

    Pitch-synchronous overlap-add (Moulines and Charpentier, "Pitch-synchronous waveform processing techniques for
    text-to-speech synthesis using diphones", Speech Communication 1990).
    """
    if not voiced.any():
        return samples.astype(np.float64)
    factor = float(np.clip(_TOP * np.median(periods[voiced > 0]) / SAMPLE_RATE, 1, factor))
    old = _by_sample(periods, len(samples))
    upright = samples * np.sign(np.sum(samples.astype(np.float64) ** 3) or 1.0)
    padded = np.pad(samples.astype(np.float64), _SIZE)
    raised = np.zeros(len(padded))
    for first, last in np.flatnonzero(np.diff(np.pad(voiced > 0, 1))).reshape(-1, 2):
        start, end = first * _HOP, min(last * _HOP, len(samples))
        pulses = _pulses(upright, old, start, end)
        now = float(pulses[0])
        while now < end:
            half = max(round(old[int(now)] / factor), 2)
            middle, nearest = round(now) + _SIZE, pulses[np.abs(pulses - now).argmin()] + _SIZE
            grain = padded[nearest - half : nearest + half] * _bell(half)
            raised[middle - half : middle + half] += grain
            now += half
    share = _by_sample(voiced, len(samples))
    return (1 - share) * samples + share * raised[_SIZE:-_SIZE]


@cache
def _bell(half: int) -> np.ndarray:
    """float64 [2 * half]: a window around a pulse."""
    return np.hanning(2 * half + 1)[:-1]


def _pulses(upright: np.ndarray, periods: np.ndarray, start: int, end: int) -> np.ndarray:
    """Samples between two others where the folds close, one in each period; int64 [1 or more].

    From the highest peak on, each is where the sound looks most like that around the one before, and is high.
    """
    begin = start + int(np.argmax(upright[start:end])) if end > start else start
    pulses = [begin]
    for direction in (-1, 1):
        at = begin
        while start <= at < end:
            half, near = int(periods[at]) // 2, at + direction * int(periods[at])
            reach = half // 2
            if min(at, near - reach) < half or max(at, near + reach) + half >= len(upright):
                break
            pattern = upright[at - half : at + half + 1]
            around = upright[near - reach - half : near + reach + half + 1]
            alike = np.correlate(around, pattern, "valid") / max(float(pattern @ pattern), 1e-9)
            height = upright[near - reach : near + reach + 1] / max(float(np.abs(pattern).max()), 1e-9)
            at = near - reach + int(np.argmax(alike + 0.3 * height))
            pulses.append(at)
    return np.sort(pulses)


def _compressed(sound: np.ndarray, driven: float, peak: float) -> np.ndarray:
    """float32 [n]: a sound [n] squeezed softly, the more `driven` the harder, to a peak."""
    usual = 5 * float(np.sqrt(np.sum(np.square(sound)) / max(len(sound), 1))) + 1e-9
    squeezed = np.tanh(driven / usual * sound)
    return (peak / max(float(np.abs(squeezed).max(initial=0)), 1e-9) * squeezed).astype(np.float32)


def _frames(samples: np.ndarray) -> np.ndarray:
    """[frames, _SIZE]: a view of the sound [n] around every multiple of _HOP."""
    padded = np.pad(samples.astype(np.float32), (_SIZE // 2, _SIZE // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]


def _by_sample(values: np.ndarray, length: int) -> np.ndarray:
    """float64 [length] out of one value per frame."""
    return np.interp(np.arange(length), np.arange(len(values)) * _HOP, values)
