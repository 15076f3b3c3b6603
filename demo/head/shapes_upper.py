# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of brows, cheeks and nose. Sided ones give the left."""

from __future__ import annotations

import numpy as np

from .face import Face
from .lip_moves import ACROSS, left_half, lifted
from .sculpt import SLACK
from .shapes_eyes import blended, lids
from .shapes_mouth import UPPER_ONE

NONE = np.zeros(0, dtype=int), np.zeros((0, 3))
BROW = ((12.0, -94.0, 129.0), (22.0, -92.0, 132.0), (33.0, -88.0, 134.0), (43.0, -80.0, 133.0), (52.0, -70.0, 128.0))
"""Points along the left brow from the nose outwards."""


def brow(face: Face, moves: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """The points of the left brow moved, the forehead following."""
    return face.pulled(*NONE, dict(zip(BROW, moves, strict=True)), face.still_for_brows, SLACK)


def brow_down(face: Face) -> np.ndarray:
    """The brow is drawn down and towards the other one."""
    return brow(
        face, ((-3.0, -1.8, -6.8), (-2.6, -1.8, -6.2), (-1.8, -1.4, -5.0), (-1.0, -0.7, -3.2), (-0.4, 0.0, -1.4))
    )


def brow_inner_up(face: Face) -> np.ndarray:
    """The inner ends of both brows go up."""
    half = brow(face, ((0.4, 1.0, 8.0), (0.2, 1.2, 6.0), (0.0, 0.6, 2.6), (0.0, 0.0, 0.4), (0.0, 0.0, 0.0)))
    return half + face.mirrored(half)


def brow_outer_up(face: Face) -> np.ndarray:
    """The outer part of the brow goes up."""
    return brow(face, ((0.0, 0.0, 0.0), (0.0, 0.4, 2.2), (0.2, 1.2, 5.5), (0.6, 2.0, 7.5), (0.8, 1.6, 6.0)))


def cheek_puff(face: Face) -> np.ndarray:
    """Both cheeks are blown up, the lips stay shut."""
    half = {
        (51.0, -62.0, 50.0): (12.0, -7.0, 0.0),
        (39.0, -78.0, 46.0): (8.0, -8.0, 0.0),
        (43.0, -74.0, 68.0): (6.0, -5.0, 1.0),
        (37.0, -74.0, 28.0): (6.0, -5.0, -1.0),
        (57.0, -42.0, 46.0): (8.0, -3.0, 0.0),
    }
    both = half | {(-x, y, z): (-a, b, c) for (x, y, z), (a, b, c) in half.items()}
    rest = face.lip_rest.copy()
    rest[:, :, 1] -= 1.5
    return face.balanced(face.posed_lips(rest, both, SLACK))


def cheek_squint(face: Face) -> np.ndarray:
    """The cheek rises towards the eye and lifts the lower lid."""
    moves = {
        (36.0, -82.0, 82.0): (0.8, -3.6, 7.0),
        (48.0, -72.0, 80.0): (2.0, -2.6, 6.2),
        (24.0, -90.0, 80.0): (0.0, -1.6, 3.6),
    }
    cheek = face.posed_lips(face.lip_rest, moves, 1.6 * SLACK)
    return cheek + lids(face, blended(0.06, 0.55))


def nose_sneer(face: Face) -> np.ndarray:
    """The nose wing and the skin beside it are drawn up, the upper lip follows a little."""
    moves = {
        (16.0, -98.0, 75.0): (1.8, 1.2, 7.0),
        (22.0, -90.0, 84.0): (0.0, -3.4, 6.6),
        (9.0, -98.0, 98.0): (0.0, -2.2, 3.6),
        (28.0, -88.0, 64.0): (1.4, -1.4, 4.4),
    }
    weight = UPPER_ONE * left_half() * np.maximum(1 - ACROSS**2, 0) ** 0.6
    return face.posed_lips(lifted(face.lip_rest, 2.4 * weight, (1.0, 0.9, 0.7, 0.5, 0.4, 0.4, 0.3)), moves)
