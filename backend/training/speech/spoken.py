# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech: what every engine is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from backend.phonetics.phones import Phone, classes_of

from .effort import Effort


@dataclass(frozen=True)
class Prompt:
    """One sentence to be spoken in one way."""

    engine: str
    voice: str
    language: str
    text: str
    stretch: float = 1.0
    """Above 1 speaks slower."""
    pitch: float = 0.5
    """0 low, 1 high, within what the voice can do."""
    liveliness: float = 0.5
    """0 monotonous, 1 lively, where the engine can do it."""
    tilt: float = 0.0
    """Decibels per octave by which the voice is brighter; done to what the engine answers."""
    loudness: float = 0.0
    """Decibels above the usual peak."""
    emotions: Mapping[str, float] = field(default_factory=dict)
    """What is felt, by name of `backend.emotions`; none is neutral."""
    effort: Effort = "plain"
    """Put in by `effort`; engines speak plainly."""


@dataclass(frozen=True, eq=False)
class Spoken:
    """An engine's answer; the phones tile the sound from 0 to its end."""

    samples: np.ndarray
    """float32 [n], mono."""
    rate: int
    phones: tuple[Phone, ...]
    alphabet: str


def tile(marks: list[tuple[str, float]], end: float) -> tuple[Phone, ...]:
    """Phones from (name, start) marks; marks that name nothing seen on a mouth join the phone before them."""
    known = [(name, start) for name, start in marks if classes_of(name)]
    if not known or known[0][1] > 0:
        known.insert(0, ("sil", 0.0))
    starts = [start for _, start in known]
    bounds = zip(known, [*starts[1:], end], strict=True)
    return tuple(Phone(name, start, stop) for (name, start), stop in bounds if stop > start)
