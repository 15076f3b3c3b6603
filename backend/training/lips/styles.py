# SPDX-License-Identifier: GPL-3.0-or-later
"""Styles: ways of speaking that the default model's identities stand for, made from the plain targets."""

from __future__ import annotations

import numpy as np
from backend.face import ARKIT_CHANNELS

from .rules import CHANNELS, to_arkit

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
    "lopsided": _scales(1.0, 1.0),
}
"""What the curves (`rules.CHANNELS`) are multiplied with, by identity; the pivot has none."""

_TABLE = np.stack([*STYLES.values(), np.ones(len(CHANNELS), np.float32)])
_SMILE = np.array([0.18 if name == "mouthSmile" else 0.0 for name in CHANNELS], np.float32)
_LEFT, _RIGHT = 1.4, 0.55
"""Of a lopsided mouth: how far each side moves that moves otherwise alike."""
_ONE_SIDED = np.array(
    [_LEFT if name.endswith("Left") else _RIGHT if name.endswith("Right") else 1.0 for name in ARKIT_CHANNELS],
    np.float32,
)
_ONE_SIDED[[not name.startswith("mouth") for name in ARKIT_CHANNELS]] = 1.0
_DRAWN = 0.3
"""Part of the jaw's opening by which the whole mouth is drawn to that side."""
_JAW_OPEN, _MOUTH_LEFT = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthLeft")


def styled(curves: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """Curves float32 [B, frames, 18] and identity rows int64 [B] to the ARKit weights of these styles, [B, frames, 52].

    All styles but one move both sides alike.
    """
    smiles = (identity == list(STYLES).index("smiling"))[:, None, None] * _SMILE
    even = to_arkit(np.clip(curves * _TABLE[identity][:, None] + smiles, 0, 1).astype(np.float32))
    lopsided = identity == list(STYLES).index("lopsided")
    even[lopsided] = _one_sided(even[lopsided])
    return even


def _one_sided(values: np.ndarray) -> np.ndarray:
    """ARKit weights [..., 52] with more on the left side of the mouth, and the mouth drawn to it as the jaw opens."""
    drawn = values * _ONE_SIDED
    drawn[..., _MOUTH_LEFT] += _DRAWN * values[..., _JAW_OPEN]
    return np.clip(drawn, 0, 1)
