# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of the left eye: lids and the line of sight."""

from __future__ import annotations

import numpy as np

from . import eyelids, eyes, lashes
from .face import Face

OVERLAP = 2.0
"""Degrees by which closed lids press into each other, so that no smoothing of the mesh opens a slit."""


def middle() -> np.ndarray:
    """1 over the middle of the eye, 0 at its corners, per spoke."""
    return np.clip(3.0 * np.abs(np.sin(eyelids.angles())), 0.0, 1.0)


def lids(face: Face, edge: np.ndarray) -> np.ndarray:
    """The left lids moved to another opening, `edge` in radians per spoke."""
    shape = np.zeros_like(face.rest)
    rings = face.anatomy.skin.lids[0]
    rest = eyelids.opening()
    shape[rings[1:]] = eyelids.lid_rings(edge, rest) - eyelids.lid_rings(rest)
    shape[face.anatomy.parts["lashes left"]] = lashes.lash_places(edge) - lashes.lash_places(rest)
    return shape


def blended(upper: float, lower: float) -> np.ndarray:
    """Opening whose upper and lower lid have gone a share of the way to where they meet; negative opens wider."""
    rest, shut = eyelids.opening(), eyelids.closed()
    share = np.where(eyelids.is_upper(), upper, lower)
    return rest + share * (shut - rest)


def blink(face: Face) -> np.ndarray:
    """The lids meet on the eyeball."""
    return lids(face, blended(1.0, 1.0) + np.radians(OVERLAP) * np.where(eyelids.is_upper(), -1.0, 1.0) * middle())


def squint(face: Face) -> np.ndarray:
    """The lower lid rises, the upper one comes down a little."""
    return lids(face, blended(0.28, 0.85))


def wide(face: Face) -> np.ndarray:
    """The upper lid is pulled up, the lower one gives."""
    return lids(face, blended(-0.34, -0.20))


def look(face: Face, up: float, left: float) -> np.ndarray:
    """The eye turns, the lids follow its height."""
    follow = -up / 26.0
    shape = lids(face, blended(0.42 * follow if follow > 0 else 0.22 * follow, -0.30 * follow))
    parts = face.anatomy.parts
    shape[parts["eye left"]] = eyes.ball_places(up, left) - eyes.ball_places()
    shape[parts["cornea left"]] = eyes.cornea_places(up, left) - eyes.cornea_places()
    return shape
