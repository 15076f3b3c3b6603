# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth curves through given points."""

from __future__ import annotations

import numpy as np


def through(points: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """`count` points, evenly spaced by length, on the Catmull–Rom curve through `points` [n, k]."""
    fine = dense(np.asarray(points, dtype=float), closed)
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.linspace(0.0, travelled[-1], count, endpoint=not closed)
    return np.stack([np.interp(wanted, travelled, column) for column in fine.T], axis=1)


def dense(points: np.ndarray, closed: bool, steps: int = 24) -> np.ndarray:
    """The curve as a fine polyline."""
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    share = (np.arange(steps) / steps)[:, None]
    pieces = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        slope, bend = (end - before) / 2, (after - start) / 2
        cubic = 2 * start - 2 * end + slope + bend
        pieces.append(start + share * (slope + share * (3 * (end - start) - 2 * slope - bend + share * cubic)))
    return np.concatenate([*pieces, padded[-2:-1]])
