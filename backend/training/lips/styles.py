# SPDX-License-Identifier: GPL-3.0-or-later
"""Styles: ways of speaking that the default model's identities stand for, made from the plain targets."""

from __future__ import annotations

import numpy as np

from .rules import CHANNELS

_JAW = ("jawOpen", "mouthClose")
_LIPS = ("mouthFunnel", "mouthPucker", "mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthShrugLower")


def _scales(jaw: float, lips: float, **others: float) -> np.ndarray:
    """Jaw and mouthClose go together, so that a shut mouth stays shut."""
    by_name = {**dict.fromkeys(_JAW, jaw), **dict.fromkeys(_LIPS, lips), **others}
    return np.array([by_name.get(name, 1.0) for name in CHANNELS], np.float32)


STYLES: dict[str, np.ndarray] = {
    "clear": _scales(1.3, 1.3),
    "soft": _scales(0.75, 0.75),
    "jaw": _scales(1.35, 0.75),
    "lips": _scales(0.75, 1.4),
    "smiling": _scales(1.0, 1.0, mouthSmile=1.3, mouthStretch=1.3, mouthPucker=0.75, mouthFunnel=0.75),
}
"""What the curves (`rules.CHANNELS`) are multiplied with, by identity; the pivot has none."""

_TABLE = np.stack([*STYLES.values(), np.ones(len(CHANNELS), np.float32)])
_SMILE = np.array([0.18 if name == "mouthSmile" else 0.0 for name in CHANNELS], np.float32)


def styled(curves: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """Curves float32 [B, frames, 18] and identity rows int64 [B] to the curves of these styles."""
    smiles = (identity == list(STYLES).index("smiling"))[:, None, None] * _SMILE
    return np.clip(curves * _TABLE[identity][:, None] + smiles, 0, 1).astype(np.float32)
