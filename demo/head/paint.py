# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour and grain per vertex: red lips, warm cheeks, a lively iris, and the direction in which hair and fibres run."""

from __future__ import annotations

import numpy as np

from . import brows, eyelids, eyes, hair, lips, teeth
from .anatomy import Anatomy
from .form import EYE
from .locks import unit

SKIN = np.array((0.585, 0.315, 0.208))
FOREHEAD, EYES, JAW = np.array((0.605, 0.345, 0.220)), np.array((0.50, 0.245, 0.185)), np.array((0.535, 0.290, 0.200))
"""The skin over the bone of the forehead, the thin skin around the eyes, and the skin under the jaw."""
LIP = np.array((0.45, 0.125, 0.105))
WET = np.array((0.34, 0.085, 0.075))
BLUSH = np.array((0.575, 0.205, 0.145))
BROW = np.array((0.058, 0.030, 0.018))
LID = np.array((0.44, 0.195, 0.145))
NOSTRIL = np.array((0.10, 0.03, 0.025))
ROOTS = np.array((0.26, 0.14, 0.09))
LIP_SHARE = (0.28, 0.95, 1.0, 1.0, 1.0, 1.0)
INSIDE = ((0.36, 0.095, 0.085), (0.36, 0.09, 0.085), (0.26, 0.055, 0.05), (0.05, 0.008, 0.008))
"""The rings behind the lips, from their backs to the throat."""
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
ENAMEL, NECK, MOLAR = np.array((0.90, 0.82, 0.69)), np.array((0.76, 0.60, 0.42)), np.array((0.26, 0.18, 0.14))
"""Teeth: their crowns, warmer at the gum, dim at the back of the mouth where cheeks keep the light away."""
TONGUE_TIP, TONGUE_ROOT = np.array((0.53, 0.185, 0.17)), np.array((0.16, 0.035, 0.033))


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
        brow = anatomy.parts[f"brow {side}"]
        colour[brow] = blended(np.tile(SKIN, (len(brow), 1)), BROW, brows.fullness())
    for jaw, arch in (("upper", teeth.UPPER), ("lower", teeth.LOWER)):
        rows = anatomy.parts[f"{jaw} teeth"]
        colour[rows] = tooth_tint(anatomy.mesh.vertices[rows], arch)
    rows = anatomy.parts["tongue"]
    back = np.clip((anatomy.mesh.vertices[rows, 1] + 70.0) / 40.0, 0.0, 1.0)
    colour[rows] = blended(np.tile(TONGUE_TIP, (len(rows), 1)), TONGUE_ROOT, back)
    return colour


def tooth_tint(points: np.ndarray, arch: teeth.Arch) -> np.ndarray:
    """Colour of the vertices of one row of teeth."""
    root = np.clip((points[:, 2] - arch.edge) * arch.up / arch.crown, 0.0, 1.0)
    back = np.clip((points[:, 1] - arch.front - 4.0) / 20.0, 0.0, 1.0)
    colour = blended(np.tile(ENAMEL, (len(points), 1)), NECK, root**2)
    return blended(colour, MOLAR, back)


def skin_tint(anatomy: Anatomy) -> np.ndarray:
    """Skin with blush, lids, nostrils and lips, for all vertices of the head."""
    points = anatomy.mesh.vertices
    half = np.abs(points) * (1, 0, 0) + points * (0, 1, 1)
    colour = np.tile(SKIN, (len(points), 1))
    colour = blended(colour, FOREHEAD, near(points, (0.0, -84.0, 160.0), (60.0, 50.0, 42.0)))
    colour = blended(colour, JAW, np.clip((12.0 - points[:, 2] - 0.25 * (points[:, 1] + 70.0)) / 30.0, 0.0, 1.0))
    colour = blended(colour, EYES, 0.8 * near(half, (32.0, -84.0, 112.0), (30.0, 26.0, 24.0)))
    cheek = near(half, (42.0, -72.0, 80.0), (34.0, 40.0, 26.0))
    tip = near(points, (0.0, -112.0, 77.0), (22.0, 22.0, 17.0))
    chin = near(points, (0.0, -88.0, 14.0), (20.0, 20.0, 16.0))
    colour = blended(colour, BLUSH, np.clip(0.75 * cheek + 0.55 * tip + 0.25 * chin, 0.0, 1.0))
    colour = blended(colour, ROOTS, 0.55 * under_hair(points))
    colour = blended(colour, NOSTRIL, near(half, (6.3, -98.0, 73.0), (3.6, 5.0, 4.5)))
    for ring, share in zip(eyelids.Ring, LID_SHARE, strict=True):
        rows = anatomy.skin.lids[:, ring].ravel()
        colour[rows] = blended(colour[rows], LID, np.full(len(rows), share))
    for ring, shade in zip(list(lips.Ring)[lips.Ring.BACK :], INSIDE, strict=True):
        colour[anatomy.skin.lips[ring]] = shade
    for ring, share in zip(lips.Ring, LIP_SHARE, strict=False):
        rows = anatomy.skin.lips[ring]
        red = LIP if ring < lips.Ring.CONTACT else WET
        colour[rows] = blended(colour[rows], red, np.full(len(rows), share))
    return colour


def under_hair(points: np.ndarray) -> np.ndarray:
    """1 where hair grows or will throw its shadow, fading out over the hairline."""
    start = unit(hair.hairline() - hair.CENTRE)
    crown = unit((hair.CROWN - hair.CENTRE)[None])[0]
    toward = unit(points - hair.CENTRE)
    nearest = (toward @ start.T).argmax(axis=1)
    inside = np.arccos(np.clip(start[nearest] @ crown, -1, 1)) - np.arccos(np.clip(toward @ crown, -1, 1))
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
    return result


def iris_grain() -> np.ndarray:
    """Fibres that run from the pupil outwards, for one eyeball."""
    around = np.tile(2.0 * np.pi * np.arange(eyes.SEGMENTS) / eyes.SEGMENTS, len(eyes.TURNS))
    out = np.repeat(np.arange(len(eyes.TURNS)), eyes.SEGMENTS)
    rings = np.stack([5.0 * np.cos(around), 5.0 * np.sin(around), 0.25 * out], axis=1)
    return np.concatenate([[[0.0, 0.0, 0.0]], rings])
