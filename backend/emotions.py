# SPDX-License-Identifier: GPL-3.0-or-later
"""Emotions: what a performance may feel, as named weights, the same throughout a sound or changing along it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted")
"""The emotions that can be asked for; a model may know fewer. The first one fills what the others leave."""
NEUTRAL = EMOTIONS[0]
Weights: TypeAlias = Mapping[str, float]
"""How much of each emotion, 0 or more; those that are not named are 0."""
Emotions: TypeAlias = Weights | Sequence[tuple[float, Weights]]
"""Weights for a whole sound, or (second, weights) at rising times: linear in between, held before and behind."""


def checked(emotions: Emotions) -> Emotions:
    """The same as plain dictionaries, tuples and floats. ValueError, with a sentence for the user, for what is none."""
    if isinstance(emotions, Mapping):
        return _checked_weights(emotions)
    points = [(float(second), _checked_weights(weights)) for second, weights in emotions]
    seconds = [second for second, _ in points]
    if not points or not all(map(math.isfinite, seconds)) or any(np.diff(seconds) <= 0):
        raise ValueError("Emotions that change need one point or more, each at a later second than the one before.")
    return points


def named(emotions: Emotions) -> tuple[str, ...]:
    """The emotions that are felt at some time, in the order of `EMOTIONS`."""
    felt = {name for weights in _points(emotions) for name, weight in weights[1].items() if weight > 0}
    return tuple(name for name in EMOTIONS if name in felt)


def does_change(emotions: Emotions) -> bool:
    """Whether different times feel different."""
    return len({tuple(sorted(weights.items())) for _, weights in _points(emotions)}) > 1


def shares(weights: Weights, names: Sequence[str]) -> np.ndarray:
    """float32 [names]: weights that sum up to 1. What is missing to 1 is neutral; what is above is scaled down."""
    found = np.array([weights.get(name, 0.0) for name in names], np.float32)
    if NEUTRAL in names:
        found[list(names).index(NEUTRAL)] += max(0.0, 1.0 - float(found.sum()))
    return found / max(float(found.sum()), 1e-6)


def shares_at(emotions: Emotions, names: Sequence[str], seconds: np.ndarray) -> np.ndarray:
    """float32 [n, names]: the shares at each of `seconds` [n]."""
    points = _points(emotions)
    known = np.stack([shares(weights, names) for _, weights in points])
    times = [second for second, _ in points]
    return np.stack([np.interp(seconds, times, column) for column in known.T], axis=1).astype(np.float32)


def as_text(emotions: Emotions) -> str:
    """As a person would write it down: ``happy=0.7 surprised=0.3``, or ``0s happy=1; 2.5s sad=0.5``."""
    if isinstance(emotions, Mapping):
        return _weights_text(emotions)
    return "; ".join(f"{second:g}s {_weights_text(weights)}" for second, weights in emotions)


def from_texts(texts: Sequence[str]) -> dict[str, float]:
    """Weights from ``happy=0.7`` and the like. ValueError, with a sentence for the user, for what is none."""
    weights: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"“{text}” is no emotion with its weight; write it as happy=0.7.") from None
    return dict(_checked_weights(weights))


def _points(emotions: Emotions) -> Sequence[tuple[float, Weights]]:
    return [(0.0, emotions)] if isinstance(emotions, Mapping) else emotions


def _checked_weights(weights: Weights) -> dict[str, float]:
    for name, weight in weights.items():
        if name not in EMOTIONS:
            raise ValueError(f"“{name}” is no emotion; choose among {', '.join(EMOTIONS)}.")
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"An emotion cannot have the weight {weight:g}; choose 0 or more.")
    return {name: float(weight) for name, weight in weights.items()}


def _weights_text(weights: Weights) -> str:
    felt = [f"{name}={weight:g}" for name, weight in weights.items() if weight > 0]
    return " ".join(felt) or NEUTRAL
