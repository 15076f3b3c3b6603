# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of hair: a flat, ridged section swept along a curve, thin at both ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import grid_quads

SECTION = np.array(((-1.0, 0.0), (-0.5, 0.78), (0.12, 1.0), (0.62, 0.68), (1.0, 0.0), (0.0, -0.55)))
"""Across a lock: sideways and outwards, as shares of its half width and its thickness."""


@dataclass(frozen=True, eq=False)
class Lock:
    """One lock as a tube of quads, with what its colour and its fine strands are made of."""

    vertices: np.ndarray
    """[stations * 6, 3], millimetres."""
    quads: np.ndarray
    along: np.ndarray
    """[stations * 6]: 0 at the root, 1 at the tip."""
    grain: np.ndarray
    """[stations * 6, 3]: quick across the strands, slow along them."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [n, 3] of length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def swept(path: np.ndarray, outwards: np.ndarray, half_width: np.ndarray, thickness: np.ndarray, number: int) -> Lock:
    """A lock along `path` [n, 3] whose ridge looks `outwards` [n, 3]; width and thickness [n] in millimetres."""
    ahead = unit(np.gradient(path, axis=0))
    aside = unit(np.cross(ahead, outwards))
    up = np.cross(aside, ahead)
    plan = SECTION[None] * np.stack([half_width, thickness], axis=1)[:, None]
    vertices = path[:, None] + plan[..., :1] * aside[:, None] + plan[..., 1:] * up[:, None]
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    sides = len(SECTION)
    lengthwise = np.tile(0.018 * travelled[:, None], (1, sides)) + 7.3 * number
    grain = np.stack([0.45 * plan[..., 0], 0.45 * plan[..., 1], lengthwise], axis=2)
    return Lock(
        vertices.reshape(-1, 3),
        grid_quads(len(path), sides, wrap=True),
        np.repeat(travelled / travelled[-1], sides),
        grain.reshape(-1, 3),
    )
