# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair: combed back from the hairline in locks, and gathered in a bun at the back of the head."""

from __future__ import annotations

import numpy as np

from .curves import through
from .fields import Field
from .form import head
from .mesh import Mesh, grid_quads

CENTRE = np.array((0.0, 8.0, 138.0))
"""Inside the skull; every lock is seen from here."""
KNOT = np.array((0.0, 92.0, 188.0))
"""Where the locks come together."""
HAIRLINE = (
    (0.0, -82.0, 184.0), (18.0, -80.0, 183.5), (36.0, -70.0, 178.0), (49.0, -58.0, 166.0), (57.0, -48.0, 150.0),
    (63.0, -37.0, 134.0), (67.0, -25.0, 121.0), (69.0, -13.0, 119.0), (71.0, 0.0, 127.0),
    (72.0, 14.0, 131.0), (70.0, 28.0, 120.0), (63.0, 38.0, 98.0), (52.0, 50.0, 76.0), (36.0, 64.0, 60.0),
    (18.0, 74.0, 51.0), (0.0, 77.0, 48.0),
)  # fmt: skip
"""The left hairline from the forehead over temple, sideburn and ear to the nape."""
LOCKS = 50
STEPS = (0.0, 0.03, 0.11, 0.25, 0.43, 0.63, 0.82, 0.96)
"""Shares of the way from the hairline to the knot at which there are vertices."""
THICKNESS = (-1.5, 1.3, 4.6, 7.2, 8.2, 8.0, 7.0, 7.0)


def scalp(directions: np.ndarray, form: Field = head) -> np.ndarray:
    """Distance from CENTRE to the form along unit directions [n, 3], by halving."""
    low, high = np.full(len(directions), 20.0), np.full(len(directions), 190.0)
    for _ in range(30):
        middle = (low + high) / 2
        inside = form(CENTRE + middle[:, None] * directions) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def hairline() -> np.ndarray:
    """Where each lock starts, [50, 3]: the left line, and its mirror image back to the front."""
    left = through(np.array(HAIRLINE), LOCKS // 2 + 1)
    return np.concatenate([left, left[-2:0:-1] * (-1.0, 1.0, 1.0)])


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [n, 3] of length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def bent(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """Directions a share of the way along the great circles from `start` [n, 3] to `end` [3]."""
    angle = np.arccos(np.clip(start @ end, -1.0, 1.0))[:, None]
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def lock_height() -> np.ndarray:
    """How much each lock stands out, around one; grooves lie between locks of two or three lines each."""
    number = np.minimum(np.arange(LOCKS), LOCKS - np.arange(LOCKS))
    return 1.0 + 0.07 * np.sin(2.1 * number) + 0.06 * np.sin(0.93 * number)


def cap() -> Mesh:
    """The combed hair from the hairline to the knot."""
    start, end = unit(hairline() - CENTRE), unit((KNOT - CENTRE)[None])[0]
    lift = 1.0 + 0.7 * np.exp(-(((start[:, 0]) / 0.5) ** 2)) * (start[:, 1] < 0)
    rows = []
    for share, thick in zip(STEPS, THICKNESS, strict=True):
        aim = bent(start, end, share)
        swell = 1.0 + (lift - 1.0) * np.sin(np.pi * min(share * 1.5, 1.0))
        height = thick * (lock_height() * swell if thick > 0 else 1.0)
        rows.append(CENTRE + (scalp(aim) + height)[:, None] * aim)
    return Mesh(np.concatenate(rows), grid_quads(len(rows), LOCKS, wrap=True))


BUN_SEGMENTS, BUN_RINGS = 12, 6
BUN_RADIUS = 29.0


def bun() -> Mesh:
    """A knot of hair wound around itself, mirror-symmetric."""
    axis = unit((KNOT - CENTRE)[None])[0]
    side = np.array((1.0, 0.0, 0.0))
    up = np.cross(axis, side)
    around = 2 * np.pi * np.arange(BUN_SEGMENTS) / BUN_SEGMENTS
    rings = []
    for turn in np.linspace(0.9, 0.06, BUN_RINGS) * np.pi:
        ridge = 1.0 + 0.05 * np.cos(3 * turn * 2 + 2.0) + 0.03 * np.cos(4 * around)
        out = np.sin(turn) * ridge[:, None] * (np.cos(around)[:, None] * side + np.sin(around)[:, None] * up)
        rings.append(KNOT + axis * (16.0 + 0.82 * BUN_RADIUS * np.cos(turn)) + BUN_RADIUS * out)
    tip = KNOT + axis * (16.0 + 0.82 * BUN_RADIUS * 0.97)
    tube = grid_quads(BUN_RINGS, BUN_SEGMENTS, wrap=True)
    last = (BUN_RINGS - 1) * BUN_SEGMENTS
    top = BUN_RINGS * BUN_SEGMENTS
    fan = [
        [last + i, last + (i + 1) % BUN_SEGMENTS, last + (i + 2) % BUN_SEGMENTS, top] for i in range(0, BUN_SEGMENTS, 2)
    ]
    return Mesh(np.concatenate([*rings, tip[None]]), np.concatenate([tube, np.array(fan)]))


def mirror_maps() -> tuple[np.ndarray, np.ndarray]:
    """Mirror maps of cap and bun."""
    locks = np.arange(len(STEPS) * LOCKS).reshape(-1, LOCKS)
    rings = np.arange(BUN_RINGS * BUN_SEGMENTS).reshape(-1, BUN_SEGMENTS)
    half = (BUN_SEGMENTS // 2 - np.arange(BUN_SEGMENTS)) % BUN_SEGMENTS
    return np.roll(locks[:, ::-1], 1, axis=1).ravel(), np.append(rings[:, half].ravel(), rings.size)
