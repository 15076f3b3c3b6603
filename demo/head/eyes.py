# SPDX-License-Identifier: GPL-3.0-or-later
"""The eyeballs: white, iris and pupil as rings around the line of sight."""

from __future__ import annotations

import numpy as np

from .eyelids import EYE_RADII
from .form import EYE
from .mesh import Mesh, grid_quads

SEGMENTS = 24
IRIS = 6.5
PUPIL = 2.5
"""Radii in millimetres."""
TURNS = (9.0, 18.0, 26.4, 28.5, 34.0, 44.0, 58.0, 75.0, 95.0)
"""Angle of each ring from the line of sight, degrees; the first three lie on the iris."""


def rest_directions() -> np.ndarray:
    """Unit directions of the vertices from the eye's centre at rest, [1 + rings * 24, 3]; the pole is in front."""
    around = 2.0 * np.pi * np.arange(SEGMENTS) / SEGMENTS
    rings = [np.array([[0.0, -1.0, 0.0]])]
    for turn in np.radians(TURNS):
        squeeze = EYE_RADII[1] / EYE_RADII[0]
        width = squeeze + (1.0 - squeeze) * np.clip((turn - 0.6) / 1.0, 0.0, 1.0)
        x, z = width * np.sin(turn) * np.cos(around), np.sin(turn) * np.sin(around)
        y = np.sqrt(np.maximum(1.0 - x**2 - z**2, 0.0)) * np.where(turn < np.pi / 2, -1.0, 1.0)
        rings.append(np.stack([x, y, z], axis=1))
    return np.concatenate(rings)


def sunk() -> np.ndarray:
    """Share of the radius each vertex keeps: the iris is a shallow bowl and the pupil lies in it."""
    depth = (0.93, 0.965, 0.985, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    return np.concatenate([[0.90], np.repeat(depth, SEGMENTS)])


def looking(up: float = 0.0, left: float = 0.0) -> np.ndarray:
    """Vertices of the left eye turned `up` and to the character's `left`, degrees, [n, 3] in millimetres.

    The ball is an ellipsoid that turns within itself, so that it never leaves the lids.
    """
    pitch, yaw = np.radians(up), np.radians(left)
    lift = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    directions = rest_directions() @ (turn @ lift).T
    return directions * sunk()[:, None] * EYE_RADII + EYE


def eyeball() -> Mesh:
    """The left eye at rest."""
    rings = len(TURNS)
    fan = [[0, 1 + i, 1 + i + 1, 1 + (i + 2) % SEGMENTS] for i in range(0, SEGMENTS, 2)]
    tube = grid_quads(rings, SEGMENTS, wrap=True, start=1)
    return Mesh(looking(), np.concatenate([np.array(fan), tube[:, ::-1]])[:, ::-1])


def face_rings() -> np.ndarray:
    """For each face of the eyeball the ring it starts at: 0 pupil, 1 and 2 iris, from 3 on the white."""
    tube = np.repeat(np.arange(1, len(TURNS)), SEGMENTS)
    return np.concatenate([np.zeros(SEGMENTS // 2, dtype=int), tube])
