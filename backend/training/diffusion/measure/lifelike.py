# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifelike: how often takes blink and how fast their upper face moves, beside the annotation that they learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from backend.face import ARKIT_CHANNELS

from .scenes import SECONDS

_LID = ARKIT_CHANNELS.index("eyeBlinkLeft")
_SHUT, _OPEN = 0.6, 0.4
_UPPER_FACE = [place for place, name in enumerate(ARKIT_CHANNELS) if name.startswith(("brow", "eye"))]
PERCENTILES = (50, 75, 90, 99)


def figures(motions: Sequence[np.ndarray], fps: float) -> dict[str, float]:
    """Of ARKit motions [frames, 52] as long as a scene: blinks a minute, and the upper face's speed in weight a second.

    The speed of a frame is the mean over the channels of brows and eyes.
    """
    blinks = sum(count_blinks(motion[:, _LID]) for motion in motions)
    speeds = np.concatenate([np.abs(np.diff(motion[:, _UPPER_FACE], axis=0)).mean(axis=1) * fps for motion in motions])
    found = {"blinks a minute": 60 * blinks / (len(motions) * SECONDS), "mean speed": float(speeds.mean())}
    return found | {f"speed, {place} %": float(np.percentile(speeds, place)) for place in PERCENTILES}


def count_blinks(lid: np.ndarray) -> int:
    """How often a lid [frames] shuts that was open."""
    count, is_open = 0, bool(lid[0] < _OPEN)
    for weight in lid:
        if is_open and weight > _SHUT:
            count, is_open = count + 1, False
        elif weight < _OPEN:
            is_open = True
    return count
