# SPDX-License-Identifier: GPL-3.0-or-later
"""The left eyebrow: a lens-shaped tuft along the ridge of the brow."""

from __future__ import annotations

import numpy as np

from .fields import cast, gradient
from .form import head
from .mesh import Mesh, grid_quads

PATH = ((12.5, 134.2), (18.0, 136.2), (26.0, 138.2), (35.0, 139.2), (44.0, 138.2), (52.0, 135.0), (58.5, 130.5))
"""x and z of the middle line, from the nose outwards."""
HALF_HEIGHTS = (1.5, 3.2, 3.7, 3.4, 2.8, 1.8, 0.4)
SECTION = ((-1.0, -0.5), (-0.55, 0.75), (0.0, 1.15), (0.55, 0.85), (1.0, -0.5))
"""Across the brow: share of the half height, and height over the skin in millimetres."""
STEPS = 14


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
    return Mesh(points + rise[:, None] * normal, grid_quads(STEPS, len(SECTION))[:, ::-1])
