# SPDX-License-Identifier: GPL-3.0-or-later
"""Rings of vertices that grow out of a hole in the skin: how lips and eyelids are attached to the face."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh


def attached(mesh: Mesh, loop: np.ndarray, rings: np.ndarray) -> tuple[Mesh, np.ndarray]:
    """The mesh with `rings` [R, n, 3] joined one inside the other to its border `loop` [n].

    Answers the longer mesh and the vertex numbers [R + 1, n], the loop itself first. The loop runs so that the hole
    lies to its right; the new quads then face the same way as the mesh.
    """
    count, size = len(mesh.vertices), len(loop)
    numbers = np.concatenate([loop[None], count + np.arange(rings.shape[0] * size).reshape(-1, size)])
    ahead = np.roll(numbers, -1, axis=1)
    corners = [numbers[:-1], numbers[1:], ahead[1:], ahead[:-1]]
    quads = np.stack([corner.ravel() for corner in corners], axis=1)
    return Mesh(np.concatenate([mesh.vertices, rings.reshape(-1, 3)]), np.concatenate([mesh.quads, quads])), numbers


def zipped(ring: np.ndarray) -> np.ndarray:
    """Quads that close a ring of n vertices (n even) whose vertex 0 is on top, joining left and right halves."""
    half = len(ring) // 2
    rows = [[ring[i], ring[-i], ring[-i - 1], ring[i + 1]] for i in range(1, half - 1)]
    ends = [[ring[0], ring[-1], ring[1], ring[1]], [ring[half], ring[half - 1], ring[half + 1], ring[half + 1]]]
    return np.array(rows + ends)
