# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of the jaw and the tongue, and the closing of the lips over an open jaw."""

from __future__ import annotations

import numpy as np

from . import tongue
from .face import Face
from .lip_moves import ROUND, UPPER, lifted
from .lips import Ring, angles

OPEN_DEGREES = 24.0
OPEN_SLIDE = 7.0
"""The joint slides forward while the jaw opens wide."""


def jaw_open(face: Face) -> np.ndarray:
    """The jaw turns about its joints."""
    return face.balanced(face.turned(OPEN_DEGREES, OPEN_SLIDE))


def mouth_close(face: Face) -> np.ndarray:
    """What has to be added to jawOpen so that the lips rest on each other while the jaw stays down.

    Both lips take the same place they have at rest, lowered by a share of the jaw's drop, so they meet at every amount.
    """
    jaw = face.turned(OPEN_DEGREES, OPEN_SLIDE)
    lips = face.anatomy.skin.lips[: face.lip_rest.shape[0]]
    drop = jaw[lips[4, 24]]
    lowered = face.lip_rest + (0.42 - 0.08 * ROUND)[None, :, None] * drop * (0.0, 0.75, 1.0)
    moves = lowered - (face.lip_rest + jaw[lips])
    return face.balanced(face.posed_lips(face.lip_rest + moves))


def jaw_moved(face: Face, x: float, y: float) -> np.ndarray:
    """The jaw carried sideways or forward without opening; the lips follow it only in part."""
    shape = face.jaw_share[:, None] * np.array((x, y, 0.0))
    lips = face.anatomy.skin.lips[: face.lip_rest.shape[0]]
    below = (1.0 - np.cos(angles())) / 2.0
    moves = (0.25 + 0.50 * below)[None, :, None] * np.array((x, y, 0.0)) * np.ones((len(lips), 1, 1))
    chin = np.nonzero((face.jaw_share[: len(face.skin)] > 0.999) & ~np.isin(np.arange(len(face.skin)), lips))[0]
    bag = face.anatomy.skin.lips[Ring.VESTIBULE]
    handles = np.concatenate([lips.ravel(), chin, bag])
    along = np.concatenate([moves.reshape(-1, 3), shape[chin], below[:, None] * np.array((x, y, 0.0))])
    moved = face.pulled(handles, along, {}, face.still_for_mouth)
    shape[face.anatomy.parts["skin"]] = moved[face.anatomy.parts["skin"]]
    return shape


OUT_SPINE = (
    (-20.0, 30.0), (-42.0, 38.0), (-62.0, 39.5), (-78.0, 39.4),
    (-91.0, 38.4), (-103.5, 35.4), (-111.0, 32.2), (-114.0, 30.3),
)  # fmt: skip
"""The tongue's spine when it is out; widths and heights of its sections follow."""
OUT_WIDTHS = (15.0, 18.0, 17.0, 15.5, 14.0, 12.5, 9.5, 5.0)
OUT_HEIGHTS = (11.0, 9.0, 5.5, 3.4, 2.9, 3.0, 2.5, 1.5)


def tongue_out(face: Face) -> np.ndarray:
    """The tongue reaches out between teeth and lips, which give way for it."""
    shape = face.turned(7.0)
    lips = face.anatomy.skin.lips[: face.lip_rest.shape[0]]
    part = np.where(UPPER, 2.4, -1.6) * ROUND**1.2
    parted = lifted(face.lip_rest + shape[lips], part, (0.6, 0.8, 1.0, 1.0, 1.0, 1.0, 0.8))
    shape[lips] = face.posed_lips(parted)[lips]
    rows = face.anatomy.parts["tongue"]
    out = tongue.sections(np.array(OUT_SPINE), np.array(OUT_WIDTHS), np.array(OUT_HEIGHTS))
    shape[rows] = out - face.rest[rows]
    return face.balanced(shape)
