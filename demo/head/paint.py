# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour and grain per vertex: red lips, warm cheeks, a lively iris, and the direction in which hair and fibres run."""

from __future__ import annotations

import numpy as np

from . import brows, eyelids, eyes, hair, lips
from .anatomy import Anatomy
from .form import EYE

SKIN = np.array((0.565, 0.305, 0.205))
LIP = np.array((0.43, 0.125, 0.105))
WET = np.array((0.34, 0.085, 0.075))
BLUSH = np.array((0.55, 0.20, 0.14))
LID = np.array((0.44, 0.195, 0.145))
NOSTRIL = np.array((0.10, 0.03, 0.025))
ROOTS = np.array((0.26, 0.14, 0.09))
LIP_SHARE = (0.5, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
LID_SHARE = (0.10, 0.40, 0.40, 0.50, 0.75, 1.0, 1.0)
IRIS = (
    (0.0, 0.0, 0.0),
    (0.01, 0.01, 0.012),
    (0.15, 0.17, 0.12),
    (0.10, 0.20, 0.23),
    (0.05, 0.10, 0.125),
    (0.02, 0.03, 0.04),
)
"""Colour of the eye's rings from the pupil to the edge of the iris."""
WHITE, CORNER = np.array((0.74, 0.71, 0.69)), np.array((0.60, 0.34, 0.30))
LID_SHADE = np.array((0.38, 0.33, 0.32))
"""The white under the upper lid, where lashes and lid keep the light away."""


def near(points: np.ndarray, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
    """A soft spot: 1 in the middle, 0 from `radii` on."""
    reach = np.clip(np.linalg.norm((points - np.array(centre)) / np.array(radii), axis=1), 0.0, 1.0)
    return (1.0 - reach) ** 2 * (1.0 + 2.0 * reach)


def blended(colour: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Colours [n, 3] moved towards another one by a share per vertex."""
    return colour + share[:, None] * (other - colour)


def tint(anatomy: Anatomy) -> np.ndarray:
    """Linear colour of every vertex of the head, [V, 3] from 0 to 1."""
    colour = skin_tint(anatomy)
    for side in ("left", "right"):
        colour[anatomy.parts[f"eye {side}"]] = eye_tint(anatomy.mesh.vertices[anatomy.parts["eye left"]])
        ear = anatomy.parts[f"ear {side}"]
        colour[ear] = blended(colour[ear], BLUSH, np.full(len(ear), 0.45))
    return colour


def skin_tint(anatomy: Anatomy) -> np.ndarray:
    """Skin with blush, lids, nostrils and lips, for all vertices of the head."""
    points = anatomy.mesh.vertices
    half = np.abs(points) * (1, 0, 0) + points * (0, 1, 1)
    colour = np.tile(SKIN, (len(points), 1))
    cheek = near(half, (42.0, -72.0, 80.0), (34.0, 40.0, 26.0))
    tip = near(points, (0.0, -112.0, 77.0), (20.0, 22.0, 16.0))
    colour = blended(colour, BLUSH, np.clip(0.7 * cheek + 0.45 * tip, 0.0, 1.0))
    colour = blended(colour, ROOTS, 0.55 * under_hair(points))
    colour = blended(colour, NOSTRIL, near(half, (6.3, -98.0, 73.0), (3.6, 5.0, 4.5)))
    for ring, share in zip(eyelids.Ring, LID_SHARE, strict=True):
        rows = anatomy.skin.lids[:, ring].ravel()
        colour[rows] = blended(colour[rows], LID, np.full(len(rows), share))
    for ring, share in zip(lips.Ring, LIP_SHARE, strict=True):
        rows = anatomy.skin.lips[ring]
        red = LIP if ring < lips.Ring.CONTACT else WET
        colour[rows] = blended(colour[rows], red, np.full(len(rows), share))
    return colour


def under_hair(points: np.ndarray) -> np.ndarray:
    """1 where hair grows or will throw its shadow, fading out over the hairline."""
    start = hair.unit(hair.hairline() - hair.CENTRE)
    knot = hair.unit((hair.KNOT - hair.CENTRE)[None])[0]
    toward = hair.unit(points - hair.CENTRE)
    nearest = (toward @ start.T).argmax(axis=1)
    inside = np.arccos(np.clip(start[nearest] @ knot, -1, 1)) - np.arccos(np.clip(toward @ knot, -1, 1))
    return np.clip(0.6 + inside / 0.14, 0.0, 1.0)


def eye_tint(left_eye: np.ndarray) -> np.ndarray:
    """Colour of one eyeball: pupil, iris, and a white that reddens towards the corners."""
    rings = np.concatenate([[0], np.repeat(np.arange(len(eyes.TURNS)), eyes.SEGMENTS)])
    aside = np.abs(left_eye[:, 0] - EYE[0])
    colour = blended(np.tile(WHITE, (len(rings), 1)), CORNER, np.clip((aside - 10.0) / 9.0, 0.0, 1.0) ** 2)
    under_lid = np.clip((left_eye[:, 2] - EYE[2] - 2.0) / 6.0, 0.0, 1.0)
    colour = blended(colour, LID_SHADE, under_lid)
    for ring, shade in enumerate(IRIS):
        colour[rings == ring] = shade
    return colour


def grain(anatomy: Anatomy) -> np.ndarray:
    """Coordinates for the fine texture of each part, [V, 3]: quick across hairs and fibres, slow along them."""
    result = anatomy.mesh.vertices.copy()
    parts = anatomy.parts
    for side in ("left", "right"):
        result[parts[f"eye {side}"]] = iris_grain()
        along, across = np.divmod(np.arange(len(parts[f"brow {side}"])), len(brows.SECTION))
        result[parts[f"brow {side}"]] = np.stack([along * 1.6 + across * 0.9, across * 0.25, 0.0 * along], axis=1)
    row, lock = np.divmod(np.arange(len(parts["hair"])), hair.LOCKS)
    lock = np.minimum(lock, hair.LOCKS - lock)
    result[parts["hair"]] = np.stack([1.0 * lock, 0.5 * np.array(hair.STEPS)[row], 0.0 * lock], axis=1)
    ring, turn = np.divmod(np.arange(len(parts["bun"])), hair.BUN_SEGMENTS)
    result[parts["bun"]] = np.stack([3.0 * ring, 0.5 * np.cos(turn), 0.5 * np.sin(turn)], axis=1)
    return result


def iris_grain() -> np.ndarray:
    """Fibres that run from the pupil outwards, for one eyeball."""
    around = np.tile(2.0 * np.pi * np.arange(eyes.SEGMENTS) / eyes.SEGMENTS, len(eyes.TURNS))
    out = np.repeat(np.arange(len(eyes.TURNS)), eyes.SEGMENTS)
    rings = np.stack([5.0 * np.cos(around), 5.0 * np.sin(around), 0.25 * out], axis=1)
    return np.concatenate([[[0.0, 0.0, 0.0]], rings])
