# SPDX-License-Identifier: GPL-3.0-or-later
"""Voices: how a speaker sounds, and the way of moving that a synthesized speaker is given for it.

People who sound alike move alike here, so that a style can be heard: slow voices open the jaw further, dark ones round
their lips more, bright ones smile, high ones raise their brows. That is a rule of this project and no finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from backend.audio import SAMPLE_RATE
from backend.phonetics.phones import Phone

from .rules import CHANNELS

_FRAME, _HOP = 640, 320
_LAGS = slice(SAMPLE_RATE // 400, SAMPLE_RATE // 60)
SILENT = "sil"
_VOICED = 0.5
"""Autocorrelation above which a frame has a pitch."""


@dataclass(frozen=True)
class Sound:
    """What is heard of a voice; each about -1 to 1 for usual ones."""

    pitch: float
    brightness: float
    tempo: float


@dataclass(frozen=True)
class Manner:
    """How a speaker moves."""

    jaw: float
    """Factor of the jaw's opening."""
    rounding: float
    """Factor of lips that are pushed forward."""
    spread: float
    """Factor of lips that are drawn aside."""
    smile: float
    """Weight of the smile that never leaves the face."""
    asymmetry: float
    """By how much the left half of the mouth moves more than the right one; negative for less."""
    brows: float
    """How often a loud vowel raises the brows, 0 to 1."""
    blinks: float
    """A minute."""
    gaze: float
    """How far the eyes wander, as weight."""


def sound_of(samples: Sequence[np.ndarray], phones: Sequence[Sequence[Phone]]) -> Sound:
    """How some recordings of one voice sound (each float32 [n] at 16 kHz, with its phones by class name)."""
    frames = np.concatenate([_frames(each) for each in samples])
    spoken = frames[np.abs(frames).max(axis=1) > 0.02]
    spoken = spoken if len(spoken) else frames
    lengths = [phone.end - phone.start for each in phones for phone in each if phone.name != SILENT]
    tempo = 1 / max(float(np.mean(lengths)) if lengths else 0.08, 0.01)
    return Sound(
        float(np.log2(_pitch(spoken) / 150) / 0.6),
        (_centre(spoken) - 1300) / 500,
        (tempo - 12) / 3,
    )


def manner_of(sound: Sound) -> Manner:
    """The way of moving that goes with a voice."""
    pitch, bright, fast = np.tanh([sound.pitch, sound.brightness, sound.tempo])
    return Manner(
        jaw=1 - 0.28 * fast - 0.08 * pitch,
        rounding=1 - 0.3 * bright - 0.1 * fast,
        spread=1 + 0.25 * bright + 0.1 * pitch,
        smile=max(0.0, 0.06 + 0.08 * bright + 0.05 * pitch),
        asymmetry=0.12 * fast - 0.14 * pitch,
        brows=0.4 + 0.28 * pitch + 0.08 * fast,
        blinks=17 + 7 * fast - 4 * bright,
        gaze=0.22 - 0.08 * pitch + 0.04 * bright,
    )


def articulated(curves: np.ndarray, manner: Manner) -> np.ndarray:
    """Curves float32 [frames, 18] (`rules.CHANNELS`) as a speaker moves; a shut mouth stays shut."""
    factors = {
        **dict.fromkeys(("jawOpen", "mouthClose"), manner.jaw),
        **dict.fromkeys(("mouthFunnel", "mouthPucker"), manner.rounding),
        **dict.fromkeys(("mouthStretch", "mouthSmile", "mouthDimple"), manner.spread),
    }
    scaled = curves * np.array([factors.get(name, 1.0) for name in CHANNELS], np.float32)
    scaled[:, CHANNELS.index("mouthSmile")] += manner.smile
    return np.clip(scaled, 0, 1)


def _frames(samples: np.ndarray) -> np.ndarray:
    padded = np.pad(samples, (0, max(_FRAME - len(samples), 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]


def _pitch(frames: np.ndarray) -> float:
    """Hertz: the median of the frames that have a pitch; 150 where none has."""
    spectra = np.fft.rfft(frames - frames.mean(axis=1, keepdims=True), 2 * _FRAME)
    likeness = np.fft.irfft(np.abs(spectra) ** 2)[:, :_FRAME]
    likeness = likeness / np.maximum(likeness[:, :1], 1e-9) * (_FRAME / (_FRAME - np.arange(_FRAME)))
    peaks = likeness[:, _LAGS]
    lags = peaks.argmax(axis=1)[peaks.max(axis=1) > _VOICED] + _LAGS.start
    return float(SAMPLE_RATE / np.median(lags)) if len(lags) else 150.0


def _centre(frames: np.ndarray) -> float:
    """Hertz: the middle of the spectrum."""
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)).mean(axis=0)
    return float(np.average(np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE), weights=power + 1e-9))
