# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes that live: blinks and darts where a voice alone does not say how they move. No bpy.

Times are of the usual size for somebody who talks: 12 to 20 blinks a minute, a lid that falls twice as fast as it
rises, and looks that stay somewhere for half a second to three. The same seed gives the same eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FALL, SHUT, RISE = 0.07, 0.03, 0.14
"""Seconds of a blink."""
TWICE = 0.12
"""How many blinks come as a pair."""
DART = 0.045
"""Seconds in which the eyes go elsewhere."""
STRAIGHT = 0.4
"""How many looks go back to whoever is spoken to."""
WIDTH, HEIGHT = 0.14, 0.06
"""Standard deviations of other looks, of all that eyes can turn."""


def blinks(frames: int, fps: float, seed: int) -> np.ndarray:
    """How far the lids are shut on each frame, 0 to 1: float32 [frames]; every blink shuts them wholly on one frame."""
    import numpy as np

    chance = np.random.default_rng([seed, 1])
    lids = np.zeros(frames, np.float32)
    seconds = np.arange(frames) / fps
    time = chance.uniform(0.4, 3.0)
    while time < frames / fps:
        shut = round(time * fps) / fps
        pace = chance.uniform(0.9, 1.25)
        edges = shut + pace * np.array([-SHUT / 2 - FALL, -SHUT / 2, SHUT / 2, SHUT / 2 + RISE])
        near = slice(*np.searchsorted(seconds, edges[[0, -1]]))
        lids[near] = np.maximum(lids[near], np.interp(seconds[near], edges, [0, 1, 1, 0]))
        time += 0.3 if chance.random() < TWICE else 1.2 + chance.gamma(2.0, 1.5)
    return lids


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
