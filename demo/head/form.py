# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of the head without lips, lids and ears: bone, muscle and fat as soft masses.

Millimetres. The chin's lowest point is the origin, the ear canals lie near y = 0, the face looks to -y, the character's
left is +x. Landmark heights follow the artist's canon: eyes at half height, brow, nose base and chin a third apart.
"""

from __future__ import annotations

import numpy as np

from .fields import carve, cone, ellipsoid, mirrored, union

EYE = (32.5, -69.0, 112.0)
"""Centre of the left eyeball."""
EYE_YAW = 9.0
"""Degrees by which the outer side of the eye lies further back than the inner one."""
LID_RADII = (21.6, 17.5, 17.5)
"""The almond-shaped body under the skin of the lids, two millimetres above the eyeball."""


def eye_axes() -> np.ndarray:
    """Rows: sideways, backwards and up in the left eye's own frame."""
    cos, sin = np.cos(np.radians(EYE_YAW)), np.sin(np.radians(EYE_YAW))
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def in_eye(points: np.ndarray) -> np.ndarray:
    """Points of the head in the left eye's own frame."""
    return (points - np.array(EYE)) @ eye_axes().T


def from_eye(points: np.ndarray) -> np.ndarray:
    """Points of the left eye's own frame in the head."""
    return points @ eye_axes() + np.array(EYE)


def cranium(points: np.ndarray) -> np.ndarray:
    """Brain case and forehead."""
    half = mirrored(points)
    form = ellipsoid(points, (0, 14, 146), (72, 86, 76))
    form = union(form, ellipsoid(points, (0, -27, 150), (60, 64, 56)), 20)
    return union(form, cone(half, (16, -82, 132), (46, -63, 133), 6, 7), 28)


def jaw(points: np.ndarray) -> np.ndarray:
    """Mandible from the hinge over the angle to the chin."""
    half = mirrored(points, 6.0)
    ramus = cone(half, (45.5, -12, 92), (37, -20, 42), 13, 11)
    body = cone(half, (37, -20, 42), (6, -68, 15), 11, 12)
    form = union(ramus, body, 16)
    return union(form, ellipsoid(points, (0, -76.5, 14.5), (14, 13.5, 14)), 14)


def cheeks(points: np.ndarray) -> np.ndarray:
    """Cheekbones, the fat in front of them, and the flat side of the masseter."""
    half = mirrored(points)
    form = ellipsoid(half, (36, -61, 85), (20, 23.5, 21))
    form = union(form, cone(half, (46, -50, 92), (53, -12, 97), 11, 8), 24)
    form = union(form, ellipsoid(half, (36, -28, 70), (17, 26, 28)), 20)
    return union(form, ellipsoid(half, (25, -46, 58), (22, 35, 38)), 24)


def middle(points: np.ndarray) -> np.ndarray:
    """The mass behind the face and the round of the teeth that carries the lips."""
    form = ellipsoid(points, (0, -34, 84), (55, 54, 62))
    return union(form, ellipsoid(points, (0, -64, 48), (28, 32, 29)), 16)


def nose(points: np.ndarray) -> np.ndarray:
    """Bridge, tip, wings and the column between the nostrils."""
    half = mirrored(points)
    form = cone(points, (0, -85.5, 119), (0, -104, 85), 4.5, 6.2)
    form = union(form, ellipsoid(points, (0, -92, 80), (11, 15, 16)), 9)
    form = union(form, ellipsoid(points, (0, -108.5, 80.4), (7.0, 7.8, 7.2)), 5)
    form = union(form, ellipsoid(half, (9.4, -97.0, 74.8), (5.6, 9.5, 6.4)), 4.5)
    return union(form, cone(points, (0, -104, 73), (0, -92, 68), 3.6, 4.6), 4)


def neck(points: np.ndarray) -> np.ndarray:
    """Throat, nape, the strap muscles, the slope of the shoulders and the collar bones."""
    half = mirrored(points)
    form = cone(points, (0, 20, 70), (0, 34, -110), 42, 44)
    form = union(form, cone(half, (36, 16, 72), (9, -9, -104), 12, 7.5), 18)
    form = union(form, cone(half, (18, 48, -64), (150, 38, -136), 24, 34), 36)
    form = union(form, cone(half, (14, 8, -140), (140, 34, -146), 26, 32), 34)
    return union(form, cone(half, (11, -19, -103), (86, 2, -92), 4.0, 5.0), 12)


def sockets(points: np.ndarray) -> np.ndarray:
    """What the eye sockets take out of the face."""
    half = mirrored(points)
    hollow = ellipsoid(half, (33, -94, 112), (22, 16, 14))
    return union(hollow, ellipsoid(half, (17, -95, 114), (7, 9, 10)), 8)


def details(points: np.ndarray) -> np.ndarray:
    """Shallow grooves: the philtrum, the crease above the chin, the dents beside the corners of the mouth."""
    half = mirrored(points)
    groove = cone(points, (0, -101, 64), (0, -98, 56), 2.2, 2.8)
    groove = union(groove, ellipsoid(points, (0, -100, 26), (15, 7, 4.5)), 2)
    return union(groove, ellipsoid(half, (30.0, -91.5, 44), (2.6, 4.0, 4.0)), 2)


def head(points: np.ndarray) -> np.ndarray:
    """The whole form, with the eyelids' body under the skin of the sockets."""
    form = union(cranium(points), middle(points), 26)
    form = union(form, cheeks(points), 22)
    form = union(form, jaw(points), 22)
    form = carve(form, sockets(points), 18)
    form = union(form, nose(points), 8)
    form = carve(form, details(points), 7)
    form = union(form, ellipsoid(in_eye(mirrored(points)), (0, 0, 0), LID_RADII), 12)
    return union(form, neck(points), 20)
