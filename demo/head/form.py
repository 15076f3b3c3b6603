# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of the head without lips, lids and ears: bone, muscle and fat as soft masses.

Millimetres. The chin's lowest point is the origin, the ear canals lie near y = 0, the face looks to -y, the character's
left is +x. Landmark heights follow the artist's canon: eyes at half height, brow, nose base and chin a third apart.
"""

from __future__ import annotations

import numpy as np

from .fields import carve, cone, ellipsoid, mirrored, union

EYE = (31.5, -71.0, 112.0)
"""Centre of the left eyeball."""
LID_RADII = (18.0, 15.6, 15.6)
"""The almond-shaped body that eyelids slide on, around the eyeball of 14.4 mm."""


def cranium(points: np.ndarray) -> np.ndarray:
    """Brain case and forehead."""
    half = mirrored(points)
    form = ellipsoid(points, (0, 14, 147), (72, 87, 76))
    form = union(form, ellipsoid(points, (0, -24, 144), (61, 67, 60)), 16)
    return union(form, cone(half, (20, -81, 129), (46, -64, 130), 7, 7), 24)


def jaw(points: np.ndarray) -> np.ndarray:
    """Mandible from the hinge over the angle to the chin."""
    half = mirrored(points, 6.0)
    ramus = cone(half, (50, -10, 92), (43, -18, 38), 13, 12)
    body = cone(half, (43, -18, 38), (8, -68, 15), 12, 13)
    form = union(ramus, body, 14)
    return union(form, ellipsoid(points, (0, -76, 15), (17, 14.5, 14.5)), 14)


def cheeks(points: np.ndarray) -> np.ndarray:
    """Cheekbones, the fat in front of them, and the flat side of the masseter."""
    half = mirrored(points)
    form = ellipsoid(half, (37, -60, 84), (21, 24, 21))
    form = union(form, cone(half, (48, -50, 94), (57, -8, 98), 11, 9), 20)
    return union(form, ellipsoid(half, (30, -44, 56), (27, 36, 40)), 24)


def middle(points: np.ndarray) -> np.ndarray:
    """The mass behind the face and the round of the teeth that carries the lips."""
    form = ellipsoid(points, (0, -34, 82), (57, 55, 64))
    return union(form, ellipsoid(points, (0, -62, 48), (31, 32, 31)), 16)


def nose(points: np.ndarray) -> np.ndarray:
    """Bridge, tip, wings and the column between the nostrils."""
    half = mirrored(points)
    form = cone(points, (0, -86, 119), (0, -106, 82), 6.0, 8.0)
    form = union(form, ellipsoid(points, (0, -92, 80), (12, 15, 16)), 8)
    form = union(form, ellipsoid(points, (0, -108.5, 77.5), (8.6, 8.5, 7.8)), 5)
    form = union(form, ellipsoid(half, (10.5, -98.5, 74), (6.4, 8.6, 6.8)), 4)
    return union(form, cone(points, (0, -105, 72), (0, -93, 67.5), 4.0, 5.0), 5)


def neck(points: np.ndarray) -> np.ndarray:
    """Throat, nape, the strap muscles from the mastoid to the collar bones, and the slope of the shoulders."""
    half = mirrored(points)
    form = cone(points, (0, 32, 70), (0, 30, -110), 50, 52)
    form = union(form, cone(half, (42, 20, 72), (12, -14, -100), 14, 9), 18)
    form = union(form, ellipsoid(points, (0, -14, -38), (9, 11, 14)), 20)
    form = union(form, cone(half, (26, 44, -50), (150, 40, -132), 24, 34), 40)
    return union(form, cone(half, (20, 8, -138), (140, 34, -142), 26, 34), 30)


def sockets(points: np.ndarray) -> np.ndarray:
    """What the eye sockets take out of the face."""
    half = mirrored(points)
    hollow = ellipsoid(half, (32, -93, 112), (21, 15, 13))
    return union(hollow, ellipsoid(half, (17, -95, 114), (7, 9, 10)), 8)


def head(points: np.ndarray) -> np.ndarray:
    """The whole form, with the eyelids' body under the skin of the sockets."""
    form = union(cranium(points), middle(points), 26)
    form = union(form, cheeks(points), 22)
    form = union(form, jaw(points), 22)
    form = carve(form, sockets(points), 14)
    form = union(form, nose(points), 9)
    eyes = ellipsoid(mirrored(points), EYE, tuple(radius + 1.6 for radius in LID_RADII))
    form = union(form, eyes, 6)
    return union(form, neck(points), 20)
