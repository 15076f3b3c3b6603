# SPDX-License-Identifier: GPL-3.0-or-later
"""Moods: how an emotion is heard in a synthesized voice: its pitch, liveliness, tempo, brightness and loudness.

Directions follow the reviews of Juslin and Laukka ("Communication of emotions in vocal expression and music
performance", 2003, table 7) and of Scherer ("Vocal communication of emotion", 2003, table 2): anger, joy and fear are
high and fast, sadness low, slow and dark; fear has little melody and joy much. For surprise and disgust, which are less
agreed upon, Banse and Scherer 1996. The sizes are ours, fitted to what the engines can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from backend.emotions import EMOTIONS, NEUTRAL

from .spoken import Prompt

_TWICE = 0.25
"""Share of the emotional utterances that mix two emotions."""
_WEAKEST = 0.4
_CORNER = 500.0
"""Hertz from which on the spectrum is tilted."""


@dataclass(frozen=True)
class Tone:
    """What an emotion of weight 1 changes."""

    pitch: float = 0.0
    """Added to the pitch of a prompt, whose whole range is 0 to 1."""
    liveliness: float = 0.0
    """Added to its liveliness."""
    tempo: float = 1.0
    """Factor."""
    tilt: float = 0.0
    """Decibels per octave above 500 Hz."""
    loudness: float = 0.0
    """Decibels."""


TONES: Mapping[str, Tone] = {
    "happy": Tone(pitch=0.22, liveliness=0.35, tempo=1.08, tilt=0.8, loudness=1.5),
    "sad": Tone(pitch=-0.22, liveliness=-0.4, tempo=0.8, tilt=-2.0, loudness=-4.0),
    "angry": Tone(pitch=0.15, liveliness=0.3, tempo=1.12, tilt=2.0, loudness=3.0),
    "surprised": Tone(pitch=0.35, liveliness=0.45, tempo=1.02, tilt=0.5, loudness=1.0),
    "afraid": Tone(pitch=0.35, liveliness=-0.25, tempo=1.2, tilt=0.4, loudness=-1.5),
    "disgusted": Tone(pitch=-0.15, liveliness=0.05, tempo=0.88, tilt=-0.8, loudness=0.0),
}
"""Every emotion but the neutral one, in which a voice stays as it is."""


def drawn(share: float, random: Random) -> dict[str, float]:
    """Weights by name: none at all for the others than this share, one emotion for most, two mixed for some."""
    if random.random() >= share:
        return {}
    others = [name for name in EMOTIONS if name != NEUTRAL]
    chosen = random.sample(others, 2 if random.random() < _TWICE else 1)
    weight = random.uniform(_WEAKEST, 1.0)
    first = random.uniform(0.35, 0.65) if len(chosen) == 2 else 1.0
    return {name: round(weight * part, 3) for name, part in zip(chosen, (first, 1 - first), strict=False)}


def toned(prompt: Prompt, weights: Mapping[str, float], strength: float) -> Prompt:
    """The prompt in the voice of an emotion; `strength` is how much of it is let heard, 0 to 1.

    People do not always sound as they feel, so a model must not find all of an emotion in the voice.
    """
    change = _mixed({name: strength * weight for name, weight in weights.items()})
    return replace(
        prompt,
        pitch=min(max(prompt.pitch + change.pitch, 0.0), 1.0),
        liveliness=min(max(prompt.liveliness + change.liveliness, 0.0), 1.0),
        stretch=prompt.stretch / change.tempo,
        tilt=change.tilt,
        loudness=change.loudness,
        emotions=dict(weights),
    )


def tilted(samples: np.ndarray, rate: int, tilt: float) -> np.ndarray:
    """Sound float32 [n] with a spectrum that rises by so many decibels per octave above 500 Hz (falls, below 0)."""
    if tilt == 0:
        return samples
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    octaves = np.log2(np.maximum(hertz, _CORNER) / _CORNER)
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (tilt * octaves / 20), len(samples)).astype(np.float32)


def _mixed(weights: Mapping[str, float]) -> Tone:
    found = [(TONES[name], weight) for name, weight in weights.items() if name != NEUTRAL]
    return Tone(
        pitch=sum(weight * tone.pitch for tone, weight in found),
        liveliness=sum(weight * tone.liveliness for tone, weight in found),
        tempo=1 + sum(weight * (tone.tempo - 1) for tone, weight in found),
        tilt=sum(weight * tone.tilt for tone, weight in found),
        loudness=sum(weight * tone.loudness for tone, weight in found),
    )
