# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's animator: from known sounds to keys of eight sliders, pose to pose, as one would draw them by hand.

The table and the timing are made for this demo and are not those that the default model has learnt from
(`backend/training/lips/rules.py`): two sliders are asymmetric sneers, and one is the tongue behind the teeth, which
that model does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.phonetics.phones import VOWELS, Phone, split

SLIDERS = ("Open", "Wide", "Round", "Press", "BiteLip", "TongueUp", "SneerL", "SneerR")
LIMITS = dict.fromkeys(SLIDERS, (0.0, 1.0)) | {"Wide": (-0.5, 1.0)}
"""Lowest and highest value; `Wide` may also be narrow."""

_POSES: dict[str, dict[str, float]] = {
    "sil": {},
    "pb": {"Press": 1.0, "Open": 0.15},
    "m": {"Press": 0.8, "Open": 0.15},
    "fv": {"BiteLip": 0.9, "Open": 0.15},
    "th": {"TongueUp": 0.5, "Open": 0.25},
    "td": {"TongueUp": 0.8, "Open": 0.2},
    "n": {"TongueUp": 0.8, "Open": 0.2},
    "l": {"TongueUp": 1.0, "Open": 0.3},
    "sz": {"Wide": 0.5, "Open": 0.1, "SneerL": 0.3},
    "sh": {"Round": 0.6, "Open": 0.2, "SneerR": 0.5},
    "kg": {"Open": 0.3},
    "ng": {"Open": 0.25},
    "hh": {"Open": 0.35},
    "r": {"Round": 0.4, "Wide": -0.2, "Open": 0.2},
    "rr": {"TongueUp": 0.6, "Open": 0.25},
    "w": {"Round": 1.0, "Wide": -0.4, "Open": 0.1},
    "y": {"Wide": 0.7, "Open": 0.15},
    "IY": {"Wide": 0.9, "Open": 0.2, "SneerL": 0.2},
    "IH": {"Wide": 0.5, "Open": 0.35},
    "EH": {"Wide": 0.5, "Open": 0.5},
    "AE": {"Wide": 0.6, "Open": 0.75, "SneerL": 0.6},
    "AA": {"Open": 1.0},
    "AH": {"Open": 0.5},
    "AO": {"Round": 0.5, "Wide": -0.2, "Open": 0.7},
    "OW": {"Round": 0.8, "Wide": -0.3, "Open": 0.45},
    "UH": {"Round": 0.6, "Wide": -0.2, "Open": 0.3},
    "UW": {"Round": 1.0, "Wide": -0.5, "Open": 0.2},
    "ER": {"Round": 0.5, "Wide": -0.2, "Open": 0.3, "SneerR": 0.3},
    "UE": {"Round": 0.9, "Wide": -0.3, "Open": 0.2},
}
_ALWAYS_SEEN = ("pb", "m", "fv", "w", "sh")
"""Consonants that get a pose however short they are; others only where there is time for it."""
SHORTEST = 0.06
"""Seconds of a consonant that gets a pose of its own."""
LEAD = 0.03
"""Seconds by which the mouth is ahead of the sound."""


@dataclass(frozen=True)
class Keys:
    """Poses in time."""

    seconds: np.ndarray
    """float64 [keys]."""
    values: np.ndarray
    """float64 [keys, 8]: in the order of `SLIDERS`."""

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """float64 [len(seconds), 8]: eased in and out between the poses, as Blender's Bezier keys do."""
        after = np.clip(np.searchsorted(self.seconds, seconds), 1, len(self.seconds) - 1)
        start, end = self.seconds[after - 1], self.seconds[after]
        share = np.clip((seconds - start) / np.maximum(end - start, 1e-6), 0, 1)
        eased = (share * share * (3 - 2 * share))[:, None]
        return self.values[after - 1] * (1 - eased) + self.values[after] * eased


def animate(phones: Sequence[Phone], alphabet: str) -> Keys:
    """Keys for what is said: two for a pose that is held, one for a short one."""
    keys: list[tuple[float, str]] = []
    for part in split(phones, alphabet):
        length = part.end - part.start
        if part.name not in VOWELS and part.name not in _ALWAYS_SEEN and length < SHORTEST:
            continue
        hold = length / 2 if length < SHORTEST else length / 4
        keys += [(part.start + hold - LEAD, part.name), (part.end - hold - LEAD, part.name)]
    seconds = np.maximum.accumulate(np.array([second for second, _ in keys]))
    values = np.array([[_POSES[name].get(slider, 0.0) for slider in SLIDERS] for _, name in keys])
    return Keys(seconds, values)
