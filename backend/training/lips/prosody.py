# SPDX-License-Identifier: GPL-3.0-or-later
"""Prosody: which vowels of a recording carry an accent, and how the brows go with it.

Brows rise with accents, above all with those of pitch (Cavé et al., "About the relationship between eyebrow movements
and F0 variations", ICSLP 1996; Flecha-García, "Eyebrow raises in dialogue", Speech Communication 2010).
Pitch, loudness and length tell an accent. Listeners follow pitch most (Fry, "Experiments in the perception of stress",
Language and Speech 1, 1958), speakers mark it by loudness and length (Kochanski et al., "Loudness predicts prominence",
JASA 118, 2005); the weights here lie between both and are ours, as are all times and sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from backend.phonetics.phones import ARPABET, VOWELS, Phone, classes_of
from backend.windows import SAMPLE_RATE

_LOWEST, _HIGHEST = 65.0, 400.0  # Hz
_VOICED = 0.4  # autocorrelation from which a vowel counts as voiced
_LONGEST = 0.060  # seconds of a vowel that are looked at
_FEWEST = 4  # vowels that it takes to say that one stands out
_STANDS_OUT = 0.4  # standard deviations above the others from which on a vowel counts as accented
_FULL = 0.7  # standard deviations more that make a full accent
_WEIGHTS = np.array([0.5, 0.3, 0.2])  # of pitch, loudness and length
_RISE, _FALL = 0.20, 0.32  # seconds of a brow's way up and down
_HIGHEST_BROW = 0.4


def accents(samples: np.ndarray, phones: Sequence[Phone], alphabet: str = ARPABET) -> list[float]:
    """0 (plain) to 1 (stressed) for each phone of a recording, float32 [n] at 16 kHz; 0 for all that is no vowel."""
    vowels = [
        index for index, phone in enumerate(phones) if not VOWELS.isdisjoint(classes_of(phone.name, alphabet)[:1])
    ]
    strengths = np.zeros(len(phones))
    if len(vowels) >= _FEWEST:
        heard = np.array([_heard(samples, phones[index]) for index in vowels])
        strengths[vowels] = np.clip((_standard(heard) @ _WEIGHTS - _STANDS_OUT) / _FULL, 0, 1)
    return strengths.tolist()


def brows(strengths: Sequence[float], phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """float64 [frames]: how far the brows are up, one smooth rise and fall around each accent."""
    height = np.zeros(len(times))
    for strength, phone in zip(strengths, phones, strict=True):
        if strength > 0:
            distance = times - (phone.start + phone.end) / 2
            away = np.minimum(np.abs(distance) / np.where(distance < 0, _RISE, _FALL), 1)
            height = np.maximum(height, strength * (0.5 + 0.5 * np.cos(np.pi * away)))
    return _HIGHEST_BROW * height


def pitch(samples: np.ndarray) -> float:
    """Hz of a short voiced stretch, float32 [n] at 16 kHz, by its autocorrelation; 0 where there is no voice."""
    centred = samples - samples.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    alike = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2)[: len(centred)]
    shortest = round(SAMPLE_RATE / _HIGHEST)
    reach = alike[shortest : min(round(SAMPLE_RATE / _LOWEST), len(alike) * 2 // 3)]
    if alike[0] <= 0 or not len(reach):
        return 0.0
    best = int(np.argmax(reach))
    lag = shortest + best
    overlap = 1 - lag / len(centred)
    return SAMPLE_RATE / lag if reach[best] / (alike[0] * overlap) > _VOICED else 0.0


def _heard(samples: np.ndarray, phone: Phone) -> tuple[float, float, float]:
    """Pitch in octaves (not a number where there is none), loudness in decibels and the logarithm of the length."""
    middle, half = (phone.start + phone.end) / 2, min(phone.end - phone.start, _LONGEST) / 2
    piece = samples[round(max(middle - half, 0) * SAMPLE_RATE) : round((middle + half) * SAMPLE_RATE)]
    if len(piece) < SAMPLE_RATE // 100:
        return np.nan, -60.0, np.log(0.03)
    tone = pitch(piece)
    loudness = 10 * np.log10(np.mean(np.square(piece, dtype=np.float64)) + 1e-6)
    return np.log2(tone) if tone else np.nan, float(loudness), float(np.log(max(phone.end - phone.start, 0.03)))


def _standard(values: np.ndarray) -> np.ndarray:
    """Columns around their median, in standard deviations; what is unknown is as usual."""
    known = np.where(np.isnan(values).all(axis=0), 0.0, values)
    away = known - np.nanmedian(known, axis=0)
    spread = np.sqrt(np.nanmean(away**2, axis=0))
    return np.nan_to_num(np.clip(away / np.maximum(spread, 1e-6), -2.5, 2.5))
