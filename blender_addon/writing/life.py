# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes that live: blinks and darts where a voice alone does not say how they move. No bpy.

Times are of the usual size for somebody who talks: 12 to 20 blinks a minute, a lid that falls twice as fast as it
rises, and looks that stay somewhere for half a second to three. The same seed gives the same eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FALL, SHUT, RISE = 0.07, 0.03, 0.14
"""Seconds of a blink."""
TWICE = 0.12
"""How many blinks come as a pair."""
PATIENCE = 0.8
"""Seconds by which a blink comes sooner or later, to fall into a pause."""
PAUSE = 0.25
"""Seconds for which a mouth is calm in a pause."""
CALM = 0.15
"""Part of its usual strength up to which a mouth is calm."""
DART = 0.045
"""Seconds in which the eyes go elsewhere."""
STRAIGHT = 0.4
"""How many looks go back to whoever is spoken to."""
WIDTH, HEIGHT = 0.14, 0.06
"""Standard deviations of other looks, of all that eyes can turn."""


def blinks(frames: int, fps: float, seed: int, pauses: Sequence[float] = ()) -> np.ndarray:
    """How far the lids are shut on each frame, 0 to 1: float32 [frames]; every blink shuts them wholly on one frame.

    A blink that is due near the beginning of one of the `pauses`, in seconds, falls there, as people's do who talk
    (Nakano and Kitazawa 2010, "Eyeblink entrainment at breakpoints of speech").
    """
    import numpy as np

    chance = np.random.default_rng([seed, 1])
    lids = np.zeros(frames, np.float32)
    seconds = np.arange(frames) / fps
    time, last = chance.uniform(0.4, 3.0), -np.inf
    while time < frames / fps:
        if (moment := _in_pause(time, pauses)) > last:
            shut = round(moment * fps) / fps
            pace = chance.uniform(0.9, 1.25)
            edges = shut + pace * np.array([-SHUT / 2 - FALL, -SHUT / 2, SHUT / 2, SHUT / 2 + RISE])
            near = slice(*np.searchsorted(seconds, edges[[0, -1]]))
            lids[near] = np.maximum(lids[near], np.interp(seconds[near], edges, [0, 1, 1, 0]))
            time, last = max(time, moment), moment
        time += 0.3 if chance.random() < TWICE else 1.2 + chance.gamma(2.0, 1.5)
    return lids


def _in_pause(time: float, pauses: Sequence[float]) -> float:
    nearest = min(pauses, key=lambda pause: abs(pause - time), default=time)
    return nearest if abs(nearest - time) < PATIENCE else time


def pauses(mouth: np.ndarray, fps: float) -> list[float]:
    """Seconds at which a mouth that has moved comes to rest; `mouth` float32 [frames, channels] from the rest pose."""
    import numpy as np

    if not mouth.size:
        return []
    moved = np.abs(mouth).max(axis=1)
    calm = moved <= CALM * np.quantile(moved, 0.9)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], calm, [True]])))  # speech begins, ends, begins …
    ends = edges[1::2]
    begins = np.append(edges[2::2], len(calm))[: len(ends)]
    return [float(end / fps) for end, begin in zip(ends, begins, strict=True) if begin - end >= PAUSE * fps]


def darts(frames: int, fps: float, seed: int) -> np.ndarray:
    """Where the eyes look on each frame: float32 [frames, 2], to the character's left and up, -1 to 1."""
    import numpy as np

    chance = np.random.default_rng([seed, 2])
    times, looks = [0.0], [np.zeros(2)]
    while times[-1] < frames / fps:
        leave = times[-1] + 0.35 + chance.gamma(1.6, 0.6)
        look = chance.normal(0.0, (WIDTH, HEIGHT)).clip(-2 * WIDTH, 2 * WIDTH)
        if chance.random() < STRAIGHT:
            look = np.zeros(2)
        times += [leave, leave + DART]
        looks += [looks[-1], look]
    seconds, places = np.arange(frames) / fps, np.array(looks)
    return np.stack([np.interp(seconds, times, places[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
