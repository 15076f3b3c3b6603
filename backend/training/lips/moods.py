# SPDX-License-Identifier: GPL-3.0-or-later
"""Moods: how an emotion is seen on a synthesized speaker's face, in what stays on it and in how it moves.

What stays are the action units that Ekman and Friesen give as prototypes (EMFACS; "Unmasking the face", 1975): joy 6
and 12; sadness 1, 4 and 15; anger 4, 5, 7 and 23; surprise 1, 2, 5 and 26; fear 1, 2, 4, 5, 7 and 20; disgust 9, 10,
15 and 17. Each is written as the ARKit weight that shows it, much weaker than on their photographs: these faces speak.
How mouths and eyes move with a mood (wide when angry, small when sad; downcast, or blinking often) is a rule of this
project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .voices import Manner


@dataclass(frozen=True)
class Mood:
    """What an emotion of weight 1 does to a face."""

    face: Mapping[str, float]
    """Weights that stay, by ARKit name without its side."""
    jaw: float = 1.0
    """Factor, as the following are."""
    rounding: float = 1.0
    spread: float = 1.0
    brows: float = 1.0
    blinks: float = 1.0
    gaze: float = 1.0
    downcast: float = 0.0
    """How far the eyes look down on average, as weight."""


MOODS: Mapping[str, Mood] = {
    "happy": Mood(
        {"mouthSmile": 0.42, "cheekSquint": 0.4, "eyeSquint": 0.12, "mouthDimple": 0.1, "browOuterUp": 0.08},
        jaw=1.1,
        spread=1.15,
        rounding=0.85,
        brows=1.3,
        blinks=1.1,
    ),
    "sad": Mood(
        {"browInnerUp": 0.45, "browDown": 0.1, "mouthFrown": 0.35, "mouthShrugLower": 0.15, "eyeBlink": 0.12},
        jaw=0.8,
        spread=0.85,
        brows=0.4,
        blinks=0.75,
        gaze=0.7,
        downcast=0.18,
    ),
    "angry": Mood(
        {
            "browDown": 0.55,
            "eyeSquint": 0.25,
            "eyeWide": 0.12,
            "noseSneer": 0.25,
            "mouthPress": 0.08,
            "jawForward": 0.1,
        },
        jaw=1.15,
        spread=1.15,
        rounding=1.1,
        brows=0.35,
        blinks=0.6,
        gaze=0.45,
    ),
    "surprised": Mood(
        {"browInnerUp": 0.5, "browOuterUp": 0.45, "eyeWide": 0.4, "mouthFunnel": 0.04},
        jaw=1.2,
        rounding=1.1,
        brows=1.4,
        blinks=0.65,
        gaze=0.7,
    ),
    "afraid": Mood(
        {"browInnerUp": 0.5, "browDown": 0.2, "browOuterUp": 0.15, "eyeWide": 0.35, "eyeSquint": 0.1}
        | {"mouthStretch": 0.22, "mouthFrown": 0.1},
        jaw=0.9,
        spread=1.2,
        rounding=0.85,
        brows=0.8,
        blinks=1.6,
        gaze=1.7,
    ),
    "disgusted": Mood(
        {"noseSneer": 0.5, "mouthUpperUp": 0.15, "browDown": 0.3, "eyeSquint": 0.3, "cheekSquint": 0.2}
        | {"mouthFrown": 0.18, "mouthShrugLower": 0.08},
        jaw=0.9,
        rounding=0.9,
        brows=0.5,
        blinks=1.05,
        gaze=1.2,
        downcast=0.05,
    ),
}
"""Every emotion but the neutral one, in which a face stays as it is."""


@dataclass(frozen=True)
class Expression:
    """What stays on a face while it speaks."""

    face: Mapping[str, float] = field(default_factory=dict)
    """Weights by ARKit name without its side."""
    downcast: float = 0.0


def expression(weights: Mapping[str, float]) -> Expression:
    """What some emotions leave on a face, each by its weight."""
    face: dict[str, float] = {}
    for name, weight in _felt(weights).items():
        for channel, amount in MOODS[name].face.items():
            face[channel] = face.get(channel, 0.0) + weight * amount
    return Expression(face, sum(weight * MOODS[name].downcast for name, weight in _felt(weights).items()))


def moody(manner: Manner, weights: Mapping[str, float]) -> Manner:
    """How somebody moves in a mood."""
    changed = {
        name: getattr(manner, name)
        * (1 + sum(weight * (getattr(MOODS[emotion], name) - 1) for emotion, weight in _felt(weights).items()))
        for name in ("jaw", "rounding", "spread", "brows", "blinks", "gaze")
    }
    return replace(manner, **changed)


def _felt(weights: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name in MOODS and weight > 0}
