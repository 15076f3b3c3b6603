# SPDX-License-Identifier: GPL-3.0-or-later
"""Spreading a few moved vertices smoothly over the skin.

The displacement of the free vertices is the one of least energy of a thin plate under tension (cotangent weights, as in
Botsch and Kobbelt 2004) that takes the given values at the handles and zero at the still vertices. Because it follows
the surface, upper and lower lip never pull on each other across the gap.
"""

from __future__ import annotations

import numpy as np

from .mesh import Mesh


def triangles(quads: np.ndarray) -> np.ndarray:
    """Both ways of cutting each quad, so that the result does not depend on the diagonal, [4 F, 3]."""
    cuts = np.concatenate([quads[:, picks] for picks in ([0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3])])
    return cuts[(cuts[:, 0] != cuts[:, 1]) & (cuts[:, 1] != cuts[:, 2]) & (cuts[:, 0] != cuts[:, 2])]


def laplacian(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Cotangent Laplacian [V, V] and the area of each vertex [V]."""
    count = len(mesh.vertices)
    matrix, area = np.zeros((count, count)), np.full(count, 1e-3)
    cuts = triangles(mesh.quads)
    for turn in range(3):
        apex, first, second = np.roll(cuts, -turn, axis=1).T
        one, two = mesh.vertices[first] - mesh.vertices[apex], mesh.vertices[second] - mesh.vertices[apex]
        twice = np.maximum(np.linalg.norm(np.cross(one, two), axis=1), 1e-6)
        weight = np.clip((one * two).sum(axis=1) / twice, 0.05, 10.0) / 4
        np.add.at(matrix, (first, second), -weight)
        np.add.at(matrix, (second, first), -weight)
        np.add.at(area, apex, twice / 12)
    matrix[np.arange(count), np.arange(count)] = -matrix.sum(axis=1)
    return matrix, area


TAUT, SLACK = 6.0, 16.0
"""Millimetres over which the skin's pull evens a bulge out. A plate alone swings back beyond what moves it: around the
lips the skin is taut; over cheeks and brows, where single points move it, it is slack, so that no point shows."""


class Sculpture:
    """A skin that can be pulled at handles."""

    def __init__(self, mesh: Mesh) -> None:
        """Works out the thin-plate energy of `mesh` once."""
        self.mesh = mesh
        matrix, area = laplacian(mesh)
        self._pull, self._bend = matrix, matrix @ (matrix / area[:, None])

    def spread(self, handles: np.ndarray, moves: np.ndarray, still: np.ndarray, tension: float = TAUT) -> np.ndarray:
        """Displacement of all vertices [V, k] for `moves` [n, k] at `handles` [n], zero where `still` bool [V]."""
        energy = self._bend + self._pull / tension**2
        result = np.zeros((len(self.mesh.vertices), moves.shape[1]))
        result[handles] = moves
        free = ~still
        free[handles] = False
        rows = np.nonzero(free)[0]
        pull = energy[np.ix_(rows, handles)] @ moves
        result[rows] = np.linalg.solve(energy[np.ix_(rows, rows)], -pull)
        return result
