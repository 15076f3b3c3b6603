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
    jaw: float
    """Factor, as the following are."""
    rounding: float
    spread: float
    brows: float
    blinks: float
    gaze: float
    downcast: float
    """How far the eyes look down on average, as weight."""


_FACES = {
    "happy": {"mouthSmile": 0.42, "cheekSquint": 0.4, "eyeSquint": 0.12, "mouthDimple": 0.1, "browOuterUp": 0.08},
    "sad": {"browInnerUp": 0.45, "browDown": 0.1, "mouthFrown": 0.35, "mouthShrugLower": 0.15, "eyeBlink": 0.12},
    "angry": {"browDown": 0.55, "eyeSquint": 0.25, "eyeWide": 0.12, "noseSneer": 0.25}
    | {"mouthPress": 0.08, "jawForward": 0.1},
    "surprised": {"browInnerUp": 0.5, "browOuterUp": 0.45, "eyeWide": 0.4, "mouthFunnel": 0.04},
    "afraid": {"browInnerUp": 0.5, "browDown": 0.2, "browOuterUp": 0.15, "eyeWide": 0.35, "eyeSquint": 0.1}
    | {"mouthStretch": 0.22, "mouthFrown": 0.1},
    "disgusted": {"noseSneer": 0.5, "mouthUpperUp": 0.15, "browDown": 0.3, "eyeSquint": 0.3, "cheekSquint": 0.2}
    | {"mouthFrown": 0.18, "mouthShrugLower": 0.08},
}
_MOVES = {  # jaw, rounding, spread, brows, blinks, gaze, downcast
    "happy": (1.1, 0.85, 1.15, 1.3, 1.1, 1.0, 0.0),
    "sad": (0.8, 1.0, 0.85, 0.4, 0.75, 0.7, 0.18),
    "angry": (1.15, 1.1, 1.15, 0.35, 0.6, 0.45, 0.0),
    "surprised": (1.2, 1.1, 1.0, 1.4, 0.65, 0.7, 0.0),
    "afraid": (0.9, 0.85, 1.2, 0.8, 1.6, 1.7, 0.0),
    "disgusted": (0.9, 0.9, 1.0, 0.5, 1.05, 1.2, 0.05),
}
MOODS: Mapping[str, Mood] = {name: Mood(face, *_MOVES[name]) for name, face in _FACES.items()}
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
