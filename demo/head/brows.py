# SPDX-License-Identifier: GPL-3.0-or-later
"""The left eyebrow: a lens-shaped tuft along the ridge of the brow."""

from __future__ import annotations

import numpy as np

from .fields import cast, gradient
from .form import head
from .mesh import Mesh, grid_quads

PATH = ((12.5, 134.2), (18.0, 136.2), (26.0, 138.2), (35.0, 139.2), (44.0, 138.2), (52.0, 135.0), (58.5, 130.5))
"""x and z of the middle line, from the nose outwards."""
HALF_HEIGHTS = (1.7, 3.1, 3.5, 3.3, 2.7, 1.8, 0.5)
SECTION = ((-1.25, -0.30), (-0.85, 0.20), (-0.42, 0.62), (0.0, 0.80), (0.42, 0.62), (0.85, 0.20), (1.25, -0.30))
"""Across the brow: share of the half height, and height over the skin in millimetres."""
STEPS = 18
SUNK = -0.5
"""Height of both ends: they dive under the skin."""


def fullness() -> np.ndarray:
    """How dense the hairs stand at each vertex, [18 * 7] from 0 to 1: thin towards the edges and at the nose."""
    along = np.minimum(np.linspace(0.0, 1.0, STEPS) * 7.0, 1.0)
    across = np.clip(1.35 - np.abs([share for share, _ in SECTION]), 0.0, 1.0) ** 0.8
    return (np.clip(0.25 + 0.75 * along, 0.0, 1.0)[:, None] * across).ravel()


def brow() -> Mesh:
    """The left brow, its edge sunk into the skin."""
    share = np.linspace(0, 1, STEPS)
    along = np.linspace(0, 1, len(PATH))
    x, z = (np.interp(share, along, column) for column in np.array(PATH).T)
    half = np.interp(share, along, HALF_HEIGHTS)
    places = []
    for across, _ in SECTION:
        places.append(np.stack([x, np.full(STEPS, -92.0), z + across * half], axis=1))
    points = cast(head, np.stack(places, axis=1).reshape(-1, 3))
    normal = gradient(head, points)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    thick = np.repeat(np.minimum(half / 3.0, 1.0), len(SECTION))
    rise = np.tile([height for _, height in SECTION], STEPS) * thick
    rise[: len(SECTION)] = rise[-len(SECTION) :] = SUNK
    return Mesh(points + rise[:, None] * normal, grid_quads(STEPS, len(SECTION))[:, ::-1])
