# SPDX-License-Identifier: GPL-3.0-or-later
"""The left ear: a relief of ridges over an ear-shaped disc, rolled round to its back and sunk into the head.

In the plane of the ear `a` runs backwards and `b` upwards from the ear canal, in millimetres.
"""

from __future__ import annotations

import numpy as np

from .curves import through
from .mesh import Mesh, grid_quads

SPOKES = 24
ROOT = np.array((64.5, 4.0, 99.0))
"""Where the ear canal leaves the head."""
MIDDLE = np.array((6.0, 1.0))
"""Where the spokes of the disc start."""
OUTLINE = (
    (30.0, 0.0), (32.5, 12.0), (27.5, 24.0), (18.0, 31.5), (7.0, 32.5), (-3.0, 27.0), (-8.0, 15.0), (-9.5, 3.0),
    (-8.5, -10.0), (-6.0, -21.0), (-0.5, -29.0), (7.5, -31.0), (14.5, -26.0), (20.0, -16.0), (26.0, -8.0),
)  # fmt: skip
"""The rim, from the back upwards."""
RINGS = (0.14, 0.34, 0.52, 0.66, 0.78, 0.88, 0.96, 1.0)
"""Rings of the relief, as shares of the way from the middle to the rim."""
BACK_RINGS = ((0.96, -3.4), (0.62, -12.0))
"""Rings of the back: share of the way, and height under the plane of the ear."""
HELIX = (
    (-6.0, -1.0),
    (-6.5, 12.0),
    (-2.0, 24.0),
    (7.5, 29.5),
    (17.0, 28.5),
    (25.0, 21.5),
    (28.5, 11.0),
    (27.0, 0.0),
    (23.0, -9.0),
)
ANTIHELIX = ((9.0, 22.0), (14.5, 15.0), (18.0, 6.0), (17.5, -3.0), (14.0, -10.5), (8.5, -15.0))
TRAGUS = ((-5.5, 3.0), (-4.0, -2.0), (-4.5, -7.0))


def ridge(points: np.ndarray, line: tuple[tuple[float, float], ...], width: float) -> np.ndarray:
    """1 on a curve in the plane of the ear, falling off over `width` millimetres, [n]."""
    curve = through(np.array(line), 40)
    nearest = ((points[:, None] - curve[None]) ** 2).sum(axis=2).min(axis=1)
    return np.exp(-nearest / width**2)


def spot(points: np.ndarray, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """A soft round spot of height 1, [n]."""
    return np.exp(-(((points - np.array(centre)) / np.array(radii)) ** 2).sum(axis=1))


def relief(points: np.ndarray) -> np.ndarray:
    """Height of the ear's front over its plane at points (a, b), millimetres."""
    height = 3.4 * ridge(points, HELIX, 2.9) + 2.7 * ridge(points, ANTIHELIX, 3.2) + 3.0 * ridge(points, TRAGUS, 3.0)
    height -= 7.5 * spot(points, (5.5, 0.0), (7.5, 10.0))
    height -= 1.2 * spot(points, (10.0, 25.0), (5.0, 3.5))
    return height + 1.2 * spot(points, (7.0, -23.0), (8.0, 8.0))


def axes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backwards, up and outwards in the plane of the ear, which leans back and stands off the head."""
    turn, lean = np.radians(24), np.radians(10)
    back = np.array((np.sin(turn), np.cos(turn), 0.0))
    out = np.array((np.cos(turn), -np.sin(turn), 0.0))
    up = np.array((0.05, 0.0, 1.0))
    return back * np.cos(lean) - up * np.sin(lean), up * np.cos(lean) + back * np.sin(lean), out


def placed(plane: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Points of the ear's plane, raised by `height`, on the head."""
    back, up, out = axes()
    return ROOT + plane[:, :1] * back + plane[:, 1:] * up + height[:, None] * out


def ear() -> Mesh:
    """The left ear."""
    rim = through(np.array(OUTLINE), SPOKES, closed=True)
    rows = []
    for share in RINGS:
        plane = MIDDLE + share * (rim - MIDDLE)
        rows.append(placed(plane, relief(plane)))
    for share, depth in BACK_RINGS:
        plane = MIDDLE + share * (rim - MIDDLE)
        rows.append(placed(plane, np.full(SPOKES, depth)))
    quads = grid_quads(len(rows), SPOKES, wrap=True)
    return Mesh(np.concatenate(rows), np.concatenate([quads, bottom()])[:, ::-1])


def bottom() -> np.ndarray:
    """Quads that close the middle of the bowl."""
    half = SPOKES // 2
    rows = [[i, i + 1, SPOKES - i - 1, (SPOKES - i) % SPOKES] for i in range(1, half - 1)]
    ends = [[0, 1, SPOKES - 1, SPOKES - 1], [half, half + 1, half - 1, half - 1]]
    return np.array(rows + ends)[:, ::-1]
