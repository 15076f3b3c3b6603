# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips in ARKit motion that truly meet: wherever a model all but shuts them, and where the phones are known at every
p, b and m, and only there.

Every function works on frames of one piece of motion at a time and never looks at neighbouring frames, so that it does
not matter where a long motion is cut. Only `CHANNELS` change; jaw, tongue, cheeks, eyes and brows never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PARTED = 0.06
"""Opening that lips keep at least while somebody speaks; at 0.05 they count as closed."""
AT_TEETH = 0.10
"""Opening that lips keep at most at f and v."""
FLANK = 0.050
"""Seconds from open to shut and back."""
BREATH = 0.15
"""Seconds at both ends of a pause in which the lips stay parted: a mouth opens before it speaks and closes after."""
NEARLY_SHUT, SHUT = 0.05, 0.04
"""Openings at which lips begin to meet, and have met, where nobody knows the phones. Models say "shut" by pressing lips
that still have a slit between them: what they learn from has no slit, but a mean over many people does."""
HEARD_NEARLY_SHUT, HEARD_SHUT = 0.06, 0.05
"""The same of the motion by which other lips meet or part: what a take misses it can only get from there."""
APART = 0.08
"""Opening from which on lips that another motion has are surely not meant to meet."""
_SEAL = {"mouthPressLeft": 0.30, "mouthPressRight": 0.30, "mouthRollLower": 0.15, "mouthRollUpper": 0.10}
"""What a shut mouth presses at least."""
_LOWERED, _RAISED = ("mouthLowerDownLeft", "mouthLowerDownRight"), ("mouthUpperUpLeft", "mouthUpperUpRight")
_PRESSED, _ROLLED = ("mouthPressLeft", "mouthPressRight"), ("mouthRollLower", "mouthRollUpper")
_TEETH_ROLL = 0.25  # the lower lip rolls in at least so far to reach the teeth

CHANNELS = ("mouthClose", "mouthFunnel", *_LOWERED, *_RAISED, *_PRESSED, *_ROLLED)
"""All that this changes."""


@dataclass(frozen=True)
class Lips:
    """What phones ask of the lips; intervals in seconds."""

    shut: tuple[tuple[float, float], ...]
    """Lips meet: p, b and m."""
    at_teeth: tuple[tuple[float, float], ...]
    """The lower lip is at the upper teeth: f and v."""
    silent: tuple[tuple[float, float], ...]
    """Nobody speaks: in the middle of it the mouth may rest as it likes."""


def can_follow(names: Sequence[str]) -> bool:
    """Whether motion with these channels has the lips that `follow` moves."""
    return {"jawOpen", *CHANNELS} <= set(names)


def sealed(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Motion float32 [frames, …, channels] whose lips meet wherever they all but do; `names` must pass `can_follow`.

    The closer they are, the more of what still parts them goes; lips that are further apart stay as they are.
    """
    face = _Face(values, names)
    _meet(face, _nearness(face.opening(), NEARLY_SHUT, SHUT))
    return face.values


def met_with(values: np.ndarray, others: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Motion float32 [frames, …, channels] whose lips meet wherever those of another motion all but do.

    `others` has the same channels and a shape that goes with that of `values`; `names` must pass `can_follow`.
    """
    face = _Face(values, names)
    _meet(face, _nearness(_Face(others, names).opening(), HEARD_NEARLY_SHUT, HEARD_SHUT))
    return face.values


def parted_with(values: np.ndarray, others: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Motion float32 [frames, …, channels] whose lips do not meet where those of another motion are clearly apart.

    Shapes and names are as for `met_with`.
    """
    face = _Face(values, names)
    apart = np.clip((_Face(others, names).opening() - HEARD_NEARLY_SHUT) / (APART - HEARD_NEARLY_SHUT), 0, 1)
    _part(face, apart)
    return face.values


def follow(values: np.ndarray, names: Sequence[str], lips: Lips, first: int, fps: float) -> np.ndarray:
    """Motion float32 [frames, channels] with its lips as the phones ask; frame i lies at second ``(first + i) / fps``.

    `names` must pass `can_follow`. Closures shorter than a frame are widened to one, so that none is lost.
    """
    times = (first + np.arange(len(values))) / fps
    face = _Face(values, names)
    met = _at_least(lips.shut, 1 / fps)
    shut = amount(met, times)
    teeth = amount(lips.at_teeth, times) * (1 - shut)
    resting = amount([(start + BREATH, end - BREATH) for start, end in lips.silent if end - start > 2 * BREATH], times)
    _bring_to_teeth(face, teeth)
    _part(face, (1 - resting) * (1 - amount(met, times, 2 * FLANK)))
    _shut(face, shut)
    return face.values


def opening(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """float32 [frames, …]: how far the lips of a motion [frames, …, channels] are apart; below 0 where they press.

    In ARKit weights, as the project's yardstick counts it; `names` must pass `can_follow`.
    """
    return _Face(values, names).opening()


def amount(intervals: Sequence[tuple[float, float]], times: np.ndarray, flank: float = FLANK) -> np.ndarray:
    """float32 [frames]: 1 inside the intervals, raised cosine flanks of `flank` seconds around them, 0 elsewhere."""
    if not intervals:
        return np.zeros(len(times), np.float32)
    starts, ends = np.array(sorted(intervals)).T
    after = np.searchsorted(starts, times)
    until_next = np.where(after < len(starts), starts[np.minimum(after, len(starts) - 1)] - times, np.inf)
    since_last = np.where(after > 0, times - np.maximum.accumulate(ends)[np.maximum(after - 1, 0)], np.inf)
    distance = np.maximum(np.minimum(until_next, since_last), 0)
    return (0.5 + 0.5 * np.cos(np.pi * np.minimum(distance / flank, 1))).astype(np.float32)


def _nearness(opening: np.ndarray, nearly: float, shut: float) -> np.ndarray:
    """0 from one opening on, 1 below another, smooth between them."""
    near = np.clip((nearly - opening) / (nearly - shut), 0, 1)
    return near * near * (3 - 2 * near)


def _at_least(intervals: Sequence[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    """The same intervals, the short ones widened around their middles."""
    missing = [max(seconds - (end - start), 0) / 2 for start, end in intervals]
    return [(start - more, end + more) for (start, end), more in zip(intervals, missing, strict=True)]


class _Face:
    """A copy of the motion whose channels are read and written by name."""

    def __init__(self, values: np.ndarray, names: Sequence[str]) -> None:
        self.values = values.copy()
        self._columns = {name: column for column, name in enumerate(names)}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[..., self._columns[name]]

    def __setitem__(self, name: str, value: np.ndarray) -> None:
        self.values[..., self._columns[name]] = value

    def mean(self, names: Sequence[str]) -> np.ndarray:
        return np.mean([self[name] for name in names], axis=0)

    def opening(self) -> np.ndarray:
        """float32 [frames, …]: between the lips, as the project's yardstick counts it; below 0 where they press."""
        lips = 0.4 * (self.mean(_LOWERED) + self.mean(_RAISED)) + 0.15 * self["mouthFunnel"]
        pressed = 0.3 * self.mean(_PRESSED) + 0.2 * self.mean(_ROLLED)
        return np.maximum(self["jawOpen"] - self["mouthClose"], 0) + lips - pressed


def _meet(face: _Face, amount: np.ndarray) -> None:
    """Take away what parts the lips: all of it at 1, nothing at 0."""
    close = np.maximum(face["mouthClose"], face["jawOpen"])
    face["mouthClose"] = face["mouthClose"] + amount * (close - face["mouthClose"])
    for name in (*_LOWERED, *_RAISED, "mouthFunnel"):  # shut lips are rounded by a pucker
        face[name] = face[name] * (1 - amount)


def _shut(face: _Face, shut: np.ndarray) -> None:
    _meet(face, shut)
    for name, least in _SEAL.items():
        face[name] = np.maximum(face[name], least * shut)


def _bring_to_teeth(face: _Face, teeth: np.ndarray) -> None:
    """Close what is open further than f and v allow, with the lower lip: first let it up, then bring it up."""
    face["mouthRollLower"] = np.maximum(face["mouthRollLower"], _TEETH_ROLL * teeth)
    for name in _LOWERED:
        face[name] = face[name] * (1 - teeth)
    gap = np.maximum(face["jawOpen"] - face["mouthClose"], 0)
    excess = np.clip(face.opening() - AT_TEETH, 0, gap)
    face["mouthClose"] = np.minimum(face["mouthClose"] + teeth * excess, 1)


def _part(face: _Face, amount: np.ndarray) -> None:
    """Open lips that are closer than `PARTED`, by `amount` [frames, …] of what is missing.

    Press less, roll less, close less, at last lower the lip.
    """
    own = face.opening()
    least = own + amount * np.maximum(PARTED - own, 0)
    for names, weight in ((_PRESSED, 0.3), (_ROLLED, 0.2)):
        missing = np.maximum(least - face.opening(), 0)
        for name in names:
            face[name] = np.maximum(face[name] - missing / weight, 0)
    missing = np.maximum(least - face.opening(), 0)
    gap = np.maximum(face["jawOpen"] - face["mouthClose"], 0)
    face["mouthClose"] = np.where(
        missing > 0, np.clip(face["jawOpen"] - gap - missing, 0, face["mouthClose"]), face["mouthClose"]
    )
    missing = np.maximum(least - face.opening(), 0)
    for name in _LOWERED:
        face[name] = np.minimum(face[name] + missing / 0.4, 1)
