# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed distance fields: the clay the head is modelled in.

A field is a function of points [n, 3] in millimetres that answers [n] distances, negative inside. The blends are the
polynomial smooth minimum, so that masses flow into each other the way clay does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]
Triple = tuple[float, float, float]


def ellipsoid(points: np.ndarray, centre: Triple, radii: Triple) -> np.ndarray:
    """Distance to an ellipsoid, exact on its surface and close to exact near it."""
    scaled = (points - np.asarray(centre)) / np.asarray(radii)
    reach = np.linalg.norm(scaled, axis=1)
    slope = np.linalg.norm(scaled / np.asarray(radii), axis=1)
    return reach * (reach - 1.0) / np.maximum(slope, 1e-9)


def cone(points: np.ndarray, start: Triple, end: Triple, start_radius: float, end_radius: float) -> np.ndarray:
    """Distance to a capsule whose radius changes evenly from one end to the other."""
    first, axis = np.asarray(start), np.subtract(end, start)
    along = np.clip((points - first) @ axis / (axis @ axis), 0.0, 1.0)
    radius = start_radius + (end_radius - start_radius) * along
    return np.linalg.norm(points - first - along[:, None] * axis, axis=1) - radius


def union(first: np.ndarray, second: np.ndarray, softness: float) -> np.ndarray:
    """Two masses melted together over `softness` millimetres."""
    mix = np.clip(0.5 + 0.5 * (second - first) / softness, 0.0, 1.0)
    return second * (1.0 - mix) + first * mix - softness * mix * (1.0 - mix)


def carve(mass: np.ndarray, tool: np.ndarray, softness: float) -> np.ndarray:
    """A mass with the tool taken out of it, the edge rounded over `softness` millimetres."""
    return -union(-mass, tool, softness)


def mirrored(points: np.ndarray, softness: float = 2.0) -> np.ndarray:
    """The points moved to the left half (x ≥ 0), with a rounded crease so that paired masses meet smoothly."""
    half = points.copy()
    half[:, 0] = np.sqrt(points[:, 0] ** 2 + softness**2) - softness
    return half


def gradient(field: Field, points: np.ndarray, step: float = 0.05) -> np.ndarray:
    """Central differences of a field, [n, 3]."""
    columns = []
    for axis in np.eye(3) * step:
        columns.append((field(points + axis) - field(points - axis)) / (2.0 * step))
    return np.stack(columns, axis=1)


def drop(field: Field, points: np.ndarray, rounds: int = 8) -> np.ndarray:
    """The points moved along the field's gradient onto its surface."""
    for _ in range(rounds):
        slope = gradient(field, points)
        length = np.maximum((slope**2).sum(axis=1), 0.05)
        points = points - np.clip(field(points) / length, -6.0, 6.0)[:, None] * slope
    return points


def cast(field: Field, points: np.ndarray, rounds: int = 24) -> np.ndarray:
    """The points moved along y onto the surface as seen from the front; x and z stay."""
    points = points.copy()
    for _ in range(rounds):
        slope = np.minimum(gradient(field, points)[:, 1], -0.3)
        points[:, 1] -= np.clip(field(points) / slope, -3.0, 3.0)
    return points
