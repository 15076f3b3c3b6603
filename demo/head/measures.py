# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mouth does, in millimetres: opening, width, rounding, jaw; and what it must not do, lips inside teeth.

Every function takes the shipped head and places of its vertices [V, 3] in millimetres, as `ShippedHead.posed` gives.
"""

from __future__ import annotations

import numpy as np

from .lips import SPOKES, Ring
from .shipped import ShippedHead

LEFT_CORNER, RIGHT_CORNER, BELOW = SPOKES // 4, 3 * SPOKES // 4, SPOKES // 2
MIDDLE_SPOKES = range(-4, 5)
"""Spokes over which the opening of the mouth is looked for, from the middle."""


def lip_gap(head: ShippedHead, places: np.ndarray, spoke: int = 0) -> float:
    """Height of the opening between the lips over one spoke (0: the middle); below zero they overlap."""
    rings = head.arrays["lips"][: Ring.BACK]
    upper = places[rings[:, spoke % SPOKES], 2].min()
    lower = places[rings[:, (BELOW - spoke) % SPOKES], 2].max()
    return float(upper - lower)


def widest_gap(head: ShippedHead, places: np.ndarray) -> float:
    """The largest opening over the middle of the mouth: zero where the lips are shut."""
    return max(lip_gap(head, places, spoke) for spoke in MIDDLE_SPOKES)


def lip_width(head: ShippedHead, places: np.ndarray) -> float:
    """Distance between the corners of the mouth."""
    left, right = head.arrays["lips"][Ring.RIM, [LEFT_CORNER, RIGHT_CORNER]]
    return float(np.linalg.norm(places[left] - places[right]))


def rounding(head: ShippedHead, places: np.ndarray) -> float:
    """How far the corners have come together and the lips forward, the mean of both; negative for a spread mouth."""
    narrower = lip_width(head, head.rest) - lip_width(head, places)
    rim = head.arrays["lips"][Ring.RIM, [0, BELOW]]
    forward = (head.rest[rim, 1] - places[rim, 1]).mean()
    return float((narrower + forward) / 2)


def jaw_angle(head: ShippedHead, places: np.ndarray) -> float:
    """Degrees the lower teeth have turned about the axis from ear to ear."""
    rows = head.rows("lower teeth")
    before = head.rest[rows, 1:] - head.rest[rows, 1:].mean(axis=0)
    after = places[rows, 1:] - places[rows, 1:].mean(axis=0)
    across = (before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]).sum()
    return float(np.degrees(np.arctan2(across, (before * after).sum())))


def jaw_drop(head: ShippedHead, places: np.ndarray) -> float:
    """How far the edge of the lower incisors has moved."""
    rows = head.rows("lower teeth")
    edge = rows[np.argmax(head.rest[rows, 2] - np.abs(head.rest[rows, 0]))]
    return float(np.linalg.norm(places[edge] - head.rest[edge]))


def lips_in_teeth(head: ShippedHead, places: np.ndarray) -> float:
    """How deep the deepest vertex of the lips lies inside a tooth; zero when lips and teeth are apart."""
    lips = places[np.unique(head.arrays["lips"][: Ring.VESTIBULE])]
    return max(depth_in_teeth(head, places, lips, row) for row in ("upper teeth", "lower teeth"))


def depth_in_teeth(head: ShippedHead, places: np.ndarray, points: np.ndarray, part: str) -> float:
    """Largest depth of `points` under all faces of one tooth (teeth are convex), millimetres."""
    deepest = 0.0
    for quads in tooth_faces(head, part):
        corners = places[quads]
        normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        length = np.linalg.norm(normal, axis=1)
        normal = normal[length > 1e-9] / length[length > 1e-9, None]
        middle = corners.mean(axis=1)[length > 1e-9]
        close = points[np.linalg.norm(points - middle.mean(axis=0), axis=1) < 14.0]
        if len(close):
            over = ((close[:, None] - middle[None]) * normal[None]).sum(axis=2).max(axis=1)
            deepest = max(deepest, float(-over.min()))
    return deepest


def tooth_faces(head: ShippedHead, part: str) -> list[np.ndarray]:
    """The faces of each tooth of a row, [teeth][faces, 4]."""
    rows = set(head.rows(part).tolist())
    quads = head.arrays["quads"].astype(np.int64)
    quads = quads[[int(corner) in rows for corner in quads[:, 0]]]
    breaks = np.nonzero(quads.min(axis=1)[1:] > np.maximum.accumulate(quads.max(axis=1))[:-1])[0] + 1
    return np.split(quads, breaks)
