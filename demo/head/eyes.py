# SPDX-License-Identifier: GPL-3.0-or-later
"""The eyeballs: pupil, iris and white as rings around the line of sight, and the clear cornea over the iris."""

from __future__ import annotations

import numpy as np

from .eyelids import EYE_RADII
from .form import EYE_YAW, from_eye
from .mesh import Mesh, grid_quads

SEGMENTS = 20
TURNS = (5.0, 11.5, 13.5, 21.5, 26.0, 27.5, 36.0, 50.0, 63.0, 78.0, 108.0)
"""Angle of each ring from the line of sight, degrees: pupil up to the second, iris up to the fifth, then the white."""
DEPTHS = (0.885, 0.905, 0.925, 0.962, 0.978, 0.997, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Share of the eyeball's radius at each ring: the iris is a shallow bowl."""
PUPIL_RINGS, IRIS_RINGS = 1, 5
CORNEA_TURNS = (0.0, 12.0, 22.0, 29.0)
CORNEA_BULGE = (1.075, 1.062, 1.03, 1.003)
"""Rings of the cornea, and how far it stands out of the ball."""


def directions(turns: tuple[float, ...]) -> np.ndarray:
    """Unit directions of rings of vertices around the line of sight (-y) from the eye's centre, [rings * 20, 3].

    The ball is drawn out sideways; near the front the directions are squeezed so that the iris is round all the same.
    """
    around = 2.0 * np.pi * np.arange(SEGMENTS) / SEGMENTS
    rings = []
    for turn in np.radians(turns):
        squeeze = EYE_RADII[1] / EYE_RADII[0]
        width = squeeze + (1.0 - squeeze) * np.clip((turn - 0.6) / 0.8, 0.0, 1.0)
        x, z = width * np.sin(turn) * np.cos(around), np.sin(turn) * np.sin(around)
        y = np.sqrt(np.maximum(1.0 - x**2 - z**2, 0.0)) * (-1.0 if turn < np.pi / 2 else 1.0)
        rings.append(np.stack([x, y, z], axis=1))
    return np.concatenate(rings)


def turned(rest: np.ndarray, up: float, left: float) -> np.ndarray:
    """Directions [n, 3] turned `up` and to the character's `left`, degrees."""
    pitch, yaw = np.radians(up), np.radians(left)
    lift = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    return rest @ (turn @ lift).T


def ball_places(up: float = 0.0, left: float = 0.0) -> np.ndarray:
    """Vertices of the left eyeball looking `up` and `left`, [1 + 220, 3] in millimetres.

    The ball is an ellipsoid that turns within itself, so that it never leaves the lids.
    """
    rest = np.concatenate([[[0.0, -1.0, 0.0]], directions(TURNS)])
    depth = np.concatenate([[DEPTHS[0]], np.repeat(DEPTHS, SEGMENTS)])
    return from_eye(turned(rest, up, left - EYE_YAW) * depth[:, None] * EYE_RADII)


def cornea_places(up: float = 0.0, left: float = 0.0) -> np.ndarray:
    """Vertices of the left cornea, [1 + 60, 3] in millimetres."""
    rest = np.concatenate([[[0.0, -1.0, 0.0]], directions(CORNEA_TURNS[1:])])
    bulge = np.concatenate([[CORNEA_BULGE[0]], np.repeat(CORNEA_BULGE[1:], SEGMENTS)])
    return from_eye(turned(rest, up, left - EYE_YAW) * bulge[:, None] * EYE_RADII)


def dome_quads(rings: int) -> np.ndarray:
    """Faces of a pole (vertex 0) with rings around it; the fan at the pole comes first."""
    fan = [[0, 1 + (i + 1) % SEGMENTS, 1 + i, 1 + i] for i in range(SEGMENTS)]
    tube = grid_quads(rings, SEGMENTS, wrap=True, start=1)
    return np.concatenate([np.array(fan), tube])[:, ::-1]


def eyeball() -> Mesh:
    """The left eyeball at rest."""
    return Mesh(ball_places(), dome_quads(len(TURNS)))


def cornea() -> Mesh:
    """The left cornea at rest."""
    return Mesh(cornea_places(), dome_quads(len(CORNEA_TURNS) - 1))


def face_rings() -> np.ndarray:
    """For each face of the eyeball the ring it starts at, the fan at the pole being 0."""
    return np.repeat(np.arange(len(TURNS)), SEGMENTS)
