# SPDX-License-Identifier: GPL-3.0-or-later
"""Draping: a subdivided cage laid onto the form, its edge loops evened out while it slides."""

from __future__ import annotations

import numpy as np

from .fields import Field, gradient
from .mesh import Mesh, averages, edges_of


def neighbour_means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of the neighbours of each vertex, [V, k]."""
    both = np.concatenate([edges, edges[:, ::-1]])
    return averages(values[both[:, 1]], both[:, 0], len(values))


def draped(mesh: Mesh, field: Field, fixed: np.ndarray, rounds: int = 24, slide: float = 0.5) -> Mesh:
    """The mesh on the surface of the field; `fixed` bool [V] vertices stay where they are.

    Each round moves the vertices a little towards the mean of their neighbours and then along the gradient, at most
    two millimetres, so that a corner that was laid out inside a thin feature finds its own side.
    """
    places, edges = mesh.vertices.copy(), edges_of(mesh.quads)
    free = np.nonzero(~fixed)[0]
    for turn in range(rounds):
        if turn < rounds - 4:
            places[free] += slide * (neighbour_means(places, edges) - places)[free]
        for _ in range(2):
            places[free] = stepped(field, places[free])
    return Mesh(places, mesh.quads)


def stepped(field: Field, points: np.ndarray, longest: float = 2.0) -> np.ndarray:
    """One Newton step towards the surface, no longer than `longest` millimetres."""
    slope = gradient(field, points)
    length = np.maximum(np.linalg.norm(slope, axis=1), 0.3)
    step = np.clip(field(points) / length, -longest, longest)
    return points - (step / length)[:, None] * slope


def polished(mesh: Mesh, weight: np.ndarray, rounds: int = 6) -> Mesh:
    """The mesh with small waves taken out: each vertex moves towards its neighbours by `weight` [V], then back.

    The step back (Taubin 1995) keeps the volume, so only ripples of a few edges' length vanish.
    """
    places, edges = mesh.vertices.copy(), edges_of(mesh.quads)
    for _ in range(rounds):
        for share in (0.50, -0.52):
            places += share * weight[:, None] * (neighbour_means(places, edges) - places)
    return Mesh(places, mesh.quads)
