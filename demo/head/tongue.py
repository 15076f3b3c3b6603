# SPDX-License-Identifier: GPL-3.0-or-later
"""The tongue: rounded sections along a curve from the throat to the tip."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh, grid_quads
from .rings import zipped

SIDES = 12
SPINE = (
    (-20.0, 30.0), (-34.0, 38.0), (-47.0, 40.5), (-58.0, 40.5),
    (-66.0, 39.5), (-71.5, 38.8), (-74.8, 38.3), (-76.6, 38.0),
)  # fmt: skip
"""y and z of the middle of each section, from the root to the tip."""
HALF_WIDTHS = (11.0, 13.4, 14.8, 14.8, 13.8, 11.8, 8.8, 4.8)
HALF_HEIGHTS = (11.0, 9.8, 8.4, 7.0, 5.6, 4.2, 3.0, 1.6)
GROOVE = 0.34
"""Depth of the furrow along the middle, as a share of the half height."""


def sections(spine: np.ndarray, widths: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Vertices [n * 12, 3] of the tongue along a spine [n, 2], each section square to it, with the groove on top."""
    around = 2 * np.pi * np.arange(SIDES) / SIDES
    ahead = np.gradient(spine, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    rings = []
    for middle, forward, width, height in zip(spine, ahead, widths, heights, strict=True):
        up = np.array([forward[1], -forward[0]])
        rise = np.cos(around) * height - np.where(np.cos(around) > 0.95, GROOVE * height, 0.0)
        plane = middle + rise[:, None] * up
        rings.append(np.column_stack([np.sin(around) * width, plane]))
    return np.concatenate(rings)


def tongue() -> Mesh:
    """The tongue at rest behind the lower teeth."""
    spine = np.array(SPINE)
    vertices = sections(spine, np.array(HALF_WIDTHS), np.array(HALF_HEIGHTS))
    tube = grid_quads(len(spine), SIDES, wrap=True)
    tip = zipped(np.arange(SIDES) + (len(spine) - 1) * SIDES)
    return Mesh(vertices, np.concatenate([tube[:, ::-1], tip]))
