# SPDX-License-Identifier: GPL-3.0-or-later
"""Quad meshes: vertices and faces, mirrored, subdivided, welded and joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Mesh:
    """A polygon mesh of quads."""

    vertices: np.ndarray
    """float64 [V, 3], millimetres."""
    quads: np.ndarray
    """int64 [F, 4], counter-clockwise seen from outside; a triangle repeats its last corner."""


def grid_quads(rows: int, columns: int, wrap: bool = False, start: int = 0) -> np.ndarray:
    """Quads of a grid of vertices stored row by row; `wrap` joins the last column to the first."""
    index = np.arange(rows * columns).reshape(rows, columns)
    if wrap:
        index = np.hstack([index, index[:, :1]])
    corners = [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]]
    return np.stack([corner.ravel() for corner in corners], axis=1) + start


def mirror_copy(mesh: Mesh) -> Mesh:
    """The mirror image on the other side of x = 0, facing outwards again."""
    return Mesh(mesh.vertices * (-1.0, 1.0, 1.0), mesh.quads[:, ::-1])


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes in one, in order, without welding."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    quads = [mesh.quads + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(quads))


def edges_of(quads: np.ndarray) -> np.ndarray:
    """Every edge once, int64 [E, 2], smaller index first."""
    pairs = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return np.unique(pairs, axis=0)


def border_edges(quads: np.ndarray) -> np.ndarray:
    """Edges with a face on one side only, int64 [B, 2]."""
    pairs = np.sort(np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)]), axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    return unique[counts == 1]


def averages(values: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """Mean of the rows of `values` that belong to each of `count` owners."""
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, owner, values)
    return total / np.maximum(np.bincount(owner, minlength=count), 1)[:, None]


def subdivided(mesh: Mesh) -> Mesh:
    """One step of Catmull and Clark (1978); borders follow the cubic B-spline of the border alone.

    New vertices come in the order: the old ones, one per edge, one per face.
    """
    old, quads = mesh.vertices, mesh.quads
    edges, count = edges_of(quads), len(mesh.vertices)
    centres = old[quads].mean(axis=1)
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2)
    edge_of = edge_rows(edges, sides.reshape(-1, 2)).reshape(-1, 4)
    faces = np.repeat(np.arange(len(quads)), 4)
    middle = old[edges].mean(axis=1)
    on_border = np.bincount(edge_of.ravel(), minlength=len(edges)) == 1
    points = (middle + averages(centres[faces], edge_of.ravel(), len(edges))) / 2
    points[on_border] = middle[on_border]
    moved = smoothed_corners(old, quads, edges, centres, on_border)
    first, last = count + edge_of, count + len(edges) + np.arange(len(quads))
    parts = [np.stack([quads[:, i], first[:, i], last, first[:, i - 1]], axis=1) for i in range(4)]
    return Mesh(np.concatenate([moved, points, centres]), np.stack(parts, axis=1).reshape(-1, 4))


def edge_rows(edges: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Row of each vertex pair in a sorted table of unique edges."""
    width = int(max(edges.max(), pairs.max())) + 1
    ordered = np.sort(pairs, axis=1)
    return np.searchsorted(edges[:, 0] * width + edges[:, 1], ordered[:, 0] * width + ordered[:, 1])


def smoothed_corners(
    old: np.ndarray, quads: np.ndarray, edges: np.ndarray, centres: np.ndarray, on_border: np.ndarray
) -> np.ndarray:
    """New places of the old vertices after one Catmull–Clark step."""
    count = len(old)
    face = averages(np.repeat(centres, 4, axis=0), quads.ravel(), count)
    middle = np.repeat(old[edges].mean(axis=1), 2, axis=0)
    edge = averages(middle, edges.ravel(), count)
    valence = np.bincount(edges.ravel(), minlength=count)[:, None]
    moved = (face + 2 * edge + (valence - 3) * old) / valence
    rim = edges[on_border]
    rim_middle = averages(np.repeat(old[rim].mean(axis=1), 2, axis=0), rim.ravel(), count)
    corner = np.unique(rim)
    moved[corner] = (old[corner] + rim_middle[corner]) / 2
    return moved


def border_loop(quads: np.ndarray, start: int, second: int) -> np.ndarray:
    """The closed loop of border vertices from `start` towards `second`."""
    neighbours: dict[int, list[int]] = {}
    for first, last in border_edges(quads):
        neighbours.setdefault(int(first), []).append(int(last))
        neighbours.setdefault(int(last), []).append(int(first))
    loop = [start, second]
    while loop[-1] != start:
        ahead = [vertex for vertex in neighbours[loop[-1]] if vertex != loop[-2]]
        loop.append(ahead[0])
    return np.array(loop[:-1])


def mirror_map(vertices: np.ndarray) -> np.ndarray:
    """For each vertex the one at its mirror image; no two vertices may share a place."""
    found = np.empty(len(vertices), dtype=np.int64)
    image = vertices * (-1.0, 1.0, 1.0)
    for start in range(0, len(vertices), 512):
        block = image[start : start + 512]
        distance = ((block[:, None, :] - vertices[None]) ** 2).sum(axis=2)
        found[start : start + 512] = distance.argmin(axis=1)
    return found
