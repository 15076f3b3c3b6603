# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour of the skin, per vertex: red lips, warm cheeks, nose and ears, rosy lids."""

from __future__ import annotations

import numpy as np

from . import eyelids, lips
from .anatomy import Anatomy
from .lips import Ring

SKIN = np.array((0.60, 0.355, 0.255))
LIP = np.array((0.42, 0.115, 0.10))
WET = np.array((0.33, 0.075, 0.07))
BLUSH = np.array((0.56, 0.22, 0.165))
LID = np.array((0.45, 0.22, 0.175))
LIP_SHARE = (0.55, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def near(points: np.ndarray, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
    """A soft spot: 1 in the middle, 0 from `radii` on."""
    reach = np.linalg.norm((points - np.array(centre)) / np.array(radii), axis=1)
    return np.clip(1.0 - reach, 0.0, 1.0) ** 2 * (1.0 + 2.0 * np.clip(reach, 0.0, 1.0))


def blended(colour: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours [n, 3] moved towards another one by a share per vertex."""
    return colour + share[:, None] * (other - colour)


def tint(anatomy: Anatomy) -> np.ndarray:
    """Linear colour of every vertex of the head, [V, 3] from 0 to 1."""
    points = anatomy.mesh.vertices * (1.0, 1.0, 1.0)
    half = np.abs(points) * (1, 0, 0) + points * (0, 1, 1)
    colour = np.tile(SKIN, (len(points), 1))
    blush = 0.75 * near(half, (42.0, -72.0, 80.0), (34.0, 40.0, 26.0)) + 0.55 * near(
        points, (0.0, -112.0, 77.0), (20.0, 22.0, 16.0)
    )
    ears = np.concatenate([anatomy.parts["ear left"], anatomy.parts["ear right"]])
    blush[ears] = 0.6
    colour = blended(colour, BLUSH, np.clip(blush, 0.0, 1.0))
    for ring, share in zip(eyelids.Ring, (0.15, 0.4, 0.45, 0.5, 0.7, 1.0, 1.0), strict=True):
        rows = anatomy.skin.lids[:, ring].ravel()
        colour[rows] = blended(colour[rows], LID, np.full(len(rows), share))
    for ring, share in zip(Ring, LIP_SHARE, strict=True):
        rows = anatomy.skin.lips[ring]
        colour[rows] = blended(colour[rows], LIP if ring < lips.Ring.CONTACT else WET, np.full(len(rows), share))
    return colour
