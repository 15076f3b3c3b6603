# SPDX-License-Identifier: GPL-3.0-or-later
"""The left ear: rings from the bowl over the folds to the rim and round to its back."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh, grid_quads

SPOKES = 24
ROOT = np.array((65.0, 4.0, 98.0))
"""Where the ear canal leaves the head."""
OUTLINE = (
    (0, 24.0),
    (40, 30.0),
    (65, 34.5),
    (90, 33.0),
    (115, 26.0),
    (145, 15.0),
    (180, 11.0),
    (215, 13.0),
    (245, 25.0),
    (268, 31.5),
    (290, 30.0),
    (315, 23.0),
    (340, 22.0),
    (360, 24.0),
)
"""Angle in degrees (0 backwards, 90 up) and distance of the rim from the canal, millimetres."""
RINGS = (
    (0.16, -7.0),
    (0.36, -6.0),
    (0.52, 1.4),
    (0.66, 1.9),
    (0.78, -0.4),
    (0.88, 0.6),
    (0.95, 3.0),
    (1.0, 1.6),
    (0.97, -1.4),
    (0.82, -3.6),
    (0.6, -7.0),
    (0.45, -15.0),
)
"""Share of the distance to the rim, and height over the plane of the ear."""


def axes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backwards, up and outwards in the plane of the ear, which leans back and stands off the head."""
    back = np.array((np.sin(np.radians(24)), np.cos(np.radians(24)), 0.0))
    out = np.array((np.cos(np.radians(24)), -np.sin(np.radians(24)), 0.0))
    up = np.array((0.06, 0.0, 1.0))
    lean = np.radians(12)
    return back * np.cos(lean) - up * np.sin(lean), up * np.cos(lean) + back * np.sin(lean), out


def ear() -> Mesh:
    """The left ear."""
    angle = 360.0 * np.arange(SPOKES) / SPOKES
    reach = np.interp(angle, *np.array(OUTLINE).T)
    reach = (np.roll(reach, 1) + 2 * reach + np.roll(reach, -1)) / 4
    back, up, out = axes()
    turn = np.radians(angle)[:, None]
    lobe = np.exp(-(((angle - 268) / 38) ** 2))
    front = np.exp(-(((angle - 185) / 40) ** 2))
    rings = []
    for share, height in RINGS:
        rise = (
            height * (1 - 0.75 * lobe) * np.where(share < 0.99, 1 - 0.5 * front, 1)
            if height > 0
            else height * (1 - 0.5 * lobe * (share > 0.3))
        )
        rise = rise + np.zeros(SPOKES)
        plane = share * reach[:, None] * (np.cos(turn) * back + np.sin(turn) * up)
        rings.append(ROOT + plane + rise[:, None] * out)
    quads = grid_quads(len(RINGS), SPOKES, wrap=True)
    bowl = Mesh(np.concatenate(rings), quads)
    return Mesh(bowl.vertices, np.concatenate([quads, cap()]))


def cap() -> np.ndarray:
    """Quads that close the bottom of the bowl, in the ring's own order."""
    half = SPOKES // 2
    rows = [[i, i + 1, SPOKES - i - 1, (SPOKES - i) % SPOKES] for i in range(1, half - 1)]
    ends = [[0, 1, SPOKES - 1, SPOKES - 1], [half, half + 1, half - 1, half - 1]]
    return np.array(rows + ends)[:, ::-1]
