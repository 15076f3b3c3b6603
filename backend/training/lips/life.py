# SPDX-License-Identifier: GPL-3.0-or-later
"""Life: what a face does that no sound decides: blinks, glances, brows, and a mouth whose halves differ.

Drawn by chance with the frequencies of a speaker (`voices.Manner`), so that the same speech has many right answers: a
regression can only learn their mean, which is a still upper face, and a diffusion model learns to draw them too. Rules
of this project; the figures are of the size that is usual for people in conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from backend.face import ARKIT_CHANNELS
from backend.phonetics.phones import VOWELS, Phone

from .moods import Expression
from .voices import Manner

Generator = np.random.Generator
_CLOSING, _SHUT, _OPENING = 0.07, 0.04, 0.16
"""Seconds of a blink."""
_REFRACTORY = 0.6
"""Seconds after a blink in which there is no other."""
_PAUSE = 0.25
"""Seconds of silence that are a good moment to blink."""
_GLANCE_EVERY = 1.4
"""Seconds, on average."""
_SACCADE = 0.05
"""Seconds that the eyes need for a glance."""
_DRIFT = 0.015
"""How far the eyes drift about the point that they rest on, as weight: half a degree."""
_LID_TONE = 0.04
"""By how much the lids open and sink between blinks."""
_OPENING_LIPS = frozenset({"mouthUpperUp", "mouthLowerDown", "mouthFunnel"})
"""What an expression must not do to lips that are shut."""


def lively(
    values: np.ndarray, fps: float, parts: Sequence[Phone], manner: Manner, felt: Expression, random: Generator
) -> np.ndarray:
    """ARKit weights float32 [frames, 52] of a mouth that speaks, with the rest of the face.

    `parts` are the phones by class name (`phones.split`), `felt` is what an emotion leaves on the face.
    """
    times = np.arange(len(values)) / fps
    face = values.copy()
    _lean(face, manner.asymmetry)
    _feel(face, times, felt, random)
    _glance(face, times, manner, felt.downcast, random)
    _raise_brows(face, times, parts, manner, random)
    _blink(face, times, parts, manner, random)
    return np.clip(face, 0, 1).astype(np.float32)


def blink_times(seconds: float, pauses: Sequence[float], rate: float, random: Generator) -> list[float]:
    """When blinks begin: by chance so many a minute, up to half of them where a pause begins."""
    expected = rate / 60 * seconds
    share = min(0.4, expected / 2 / max(len(pauses), 1))
    chosen = [pause for pause in pauses if random.random() < share]
    drawn = random.uniform(0, seconds, random.poisson(expected - share * len(pauses))).tolist()
    kept: list[float] = []
    for moment in sorted([*chosen, *drawn]):
        if not kept or moment - kept[-1] > _REFRACTORY:
            kept.append(moment)
    return kept


def _lean(face: np.ndarray, asymmetry: float) -> None:
    """One half of the mouth moves further than the other."""
    for number, name in enumerate(ARKIT_CHANNELS):
        if name.startswith("mouth") and name.endswith(("Left", "Right")):
            face[:, number] *= 1 + (asymmetry if name.endswith("Left") else -asymmetry)


def _feel(face: np.ndarray, times: np.ndarray, felt: Expression, random: Generator) -> None:
    """An expression comes and goes a little; lips that are shut stay shut."""
    jaw, close = (face[:, ARKIT_CHANNELS.index(name)] for name in ("jawOpen", "mouthClose"))
    apart = 1 - np.clip(close / np.maximum(jaw, 0.02), 0, 1)
    strength = np.clip(1 + 0.18 * _wander(times, 0.35, random), 0.5, 1.4)
    for name, weight in felt.face.items():
        amount = weight * strength * (apart if name in _OPENING_LIPS else 1.0)
        for channel in (name, f"{name}Left", f"{name}Right"):
            if channel in ARKIT_CHANNELS:
                _add(face, channel, amount)


def _blink(face: np.ndarray, times: np.ndarray, parts: Sequence[Phone], manner: Manner, random: Generator) -> None:
    pauses = [part.start for part in parts if part.name == "sil" and part.end - part.start > _PAUSE]
    lids = np.zeros(len(times))
    for moment in blink_times(times[-1], pauses, manner.blinks, random):
        depth, slow = random.uniform(0.85, 1.0), random.uniform(0.85, 1.25)
        knots = moment + slow * np.cumsum([0.0, _CLOSING, _SHUT, _OPENING])
        lids = np.maximum(lids, np.interp(times, knots, [0, depth, depth, 0], 0, 0))
    tone = _LID_TONE * _wander(times, 0.7, random)
    for side in ("Left", "Right"):
        _add(face, f"eyeBlink{side}", np.maximum(tone, 0))
        _add(face, f"eyeWide{side}", 0.5 * np.maximum(-tone, 0))
        _at_least(face, f"eyeBlink{side}", lids)
        _add(face, f"eyeSquint{side}", 0.12 * lids)
        _add(face, f"browDown{side}", 0.06 * lids)


def _glance(face: np.ndarray, times: np.ndarray, manner: Manner, downcast: float, random: Generator) -> None:
    """The eyes rest on a point, never quite still, jump to another, and mostly come back to the listener."""
    moments = np.cumsum(random.exponential(_GLANCE_EVERY, int(times[-1] / _GLANCE_EVERY * 2) + 8))
    away = random.random(len(moments)) < 0.45
    across, up = (away * random.normal(0, size, len(moments)) for size in (manner.gaze, 0.6 * manner.gaze))
    up = up - downcast * random.uniform(0.3, 1.4, len(moments))
    knots = np.stack([moments, moments + _SACCADE], axis=1).ravel()
    turned, raised = (
        np.interp(times, knots, np.stack([np.concatenate([[0.0], places[:-1]]), places], axis=1).ravel())
        + _DRIFT * _wander(times, 1.0, random)
        for places in (across, up)
    )
    for side, inward in (("Left", -1), ("Right", 1)):
        _add(face, f"eyeLookIn{side}", np.maximum(inward * turned, 0))
        _add(face, f"eyeLookOut{side}", np.maximum(-inward * turned, 0))
        _add(face, f"eyeLookUp{side}", np.maximum(raised, 0))
        _add(face, f"eyeLookDown{side}", np.maximum(-raised, 0))
        _add(face, f"eyeBlink{side}", 0.35 * np.maximum(-raised, 0))
        _add(face, f"eyeWide{side}", 0.25 * np.maximum(raised, 0))


def _raise_brows(
    face: np.ndarray, times: np.ndarray, parts: Sequence[Phone], manner: Manner, random: Generator
) -> None:
    """Long vowels are stressed, and some of them raise the brows; in between, brows wander a little."""
    raised = 0.06 * _wander(times, 0.8, random)
    for part in parts:
        length = part.end - part.start
        if part.name in VOWELS and length > 0.09 and random.random() < 0.5 * manner.brows:
            middle, half = (part.start + part.end) / 2, random.uniform(0.16, 0.32)
            bump = 0.5 + 0.5 * np.cos(np.pi * np.clip((times - middle) / half, -1, 1))
            raised = np.maximum(raised, random.uniform(0.2, 0.65) * bump)
    frown = np.maximum(0.12 * _wander(times, 0.25, random) - raised, 0)
    _add(face, "browInnerUp", raised)
    for side in ("Left", "Right"):
        _add(face, f"browOuterUp{side}", 0.7 * raised)
        _add(face, f"browDown{side}", frown)
        _add(face, f"cheekSquint{side}", 0.08 * np.abs(_wander(times, 0.3, random)))


def _wander(times: np.ndarray, per_second: float, random: Generator) -> np.ndarray:
    """A smooth curve of about unit size that turns so often."""
    knots = random.normal(0, 1, int(times[-1] * per_second) + 3)
    place = times * per_second + random.random()
    before = place.astype(int)
    share = 0.5 - 0.5 * np.cos(np.pi * (place - before))
    return knots[before] * (1 - share) + knots[before + 1] * share


def _add(face: np.ndarray, channel: str, values: np.ndarray) -> None:
    face[:, ARKIT_CHANNELS.index(channel)] += values


def _at_least(face: np.ndarray, channel: str, values: np.ndarray) -> None:
    number = ARKIT_CHANNELS.index(channel)
    face[:, number] = np.maximum(face[:, number], values)
