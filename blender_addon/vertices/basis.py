# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion of many vertices as few shapes and their weights: principal components up to a tolerance. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MOST_SAMPLES = 600
"""Frames that the shapes are found from; a longer clip is looked at in even steps, so that memory stays small."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Shapes whose weighted sum is the motion, within the error."""

    shapes: np.ndarray
    """float32 [K, V, 3]: how far each shape moves the vertices at a weight of 1."""
    weights: np.ndarray
    """float32 [frames, K], from -1 to 1; each shape reaches 1 or -1 somewhere."""
    error: float
    """The largest distance of any vertex in any frame from where it should be, in the mesh's unit."""


def find(moves: np.ndarray, tolerance: float) -> Basis:
    """As few shapes as keep every vertex of moves float32 [frames, V, 3] within `tolerance` of its place.

    The shapes lie around zero motion (no mean is taken out), so that all weights at 0 are the mesh at rest.
    """
    import numpy as np

    flat = moves.reshape(len(moves), -1)
    samples = flat[np.unique(np.linspace(0, len(flat) - 1, min(len(flat), MOST_SAMPLES)).round().astype(int))]
    exact = samples.astype(np.float64)
    values, vectors = np.linalg.eigh(exact @ exact.T)
    # what all directions from here on move together is far below the tolerance, and their own noise above it
    kept = np.flatnonzero(np.sqrt(np.cumsum(values.clip(0))) > 0.1 * tolerance)[::-1]
    directions = (vectors[:, kept].T @ exact) / np.sqrt(values[kept])[:, None]
    directions = directions.astype(np.float32)
    weights = flat @ directions.T
    count = _fewest(flat, directions, weights, tolerance)
    return _scaled(flat, directions[:count], weights[:, :count], moves.shape[1])


def _fewest(flat: np.ndarray, directions: np.ndarray, weights: np.ndarray, tolerance: float) -> int:
    """The smallest number of directions within the tolerance, by halving; all where even they are not."""
    low, high = 0, len(directions)
    while low < high:
        middle = (low + high) // 2
        if _error(flat, directions[:middle], weights[:, :middle]) <= tolerance:
            high = middle
        else:
            low = middle + 1
    return low


def _error(flat: np.ndarray, directions: np.ndarray, weights: np.ndarray) -> float:
    """Largest distance of a vertex from its place; a few hundred frames at a time."""
    import numpy as np

    worst = 0.0
    for start in range(0, len(flat), MOST_SAMPLES):
        piece = slice(start, start + MOST_SAMPLES)
        rest = (flat[piece] - weights[piece] @ directions).reshape(-1, 3)
        worst = max(worst, float(np.sqrt((rest**2).sum(axis=1).max(initial=0.0))))
    return worst


def _scaled(flat: np.ndarray, directions: np.ndarray, weights: np.ndarray, vertices: int) -> Basis:
    import numpy as np

    error = _error(flat, directions, weights)
    reach = np.abs(weights).max(axis=0, initial=1e-12)
    shapes = (directions * reach[:, None]).reshape(-1, vertices, 3)
    return Basis(shapes.astype(np.float32), (weights / reach).astype(np.float32), error)
