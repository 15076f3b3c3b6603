# SPDX-License-Identifier: GPL-3.0-or-later
"""The eyelids of the left eye: rings that slide on the eyeball by turning about the axis through both corners.

A lid vertex belongs to one of 32 spokes (0 at the inner corner, 8 at the top, 16 at the outer corner) and to one of the
rings in `Ring`; its place is x, the elevation angle on the eyeball, and the height above the eyeball.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from .form import from_eye

SPOKES = 32
EYE_RADII = (19.8, 15.8, 15.8)
"""The eyeball is drawn out sideways so that the white fills the corners of the lids."""
INNER, OUTER = -16.6, 17.0
"""x of the corners from the eye's centre."""


class Ring(IntEnum):
    """Rings of the lids from the skin to behind the lid."""

    BORDER = 0
    CREASE = 1
    FOLD = 2
    PLATE = 3
    EDGE = 4
    LINE = 5
    BACK = 6


SPREAD = (8.0, 5.6, 4.4, 2.6, 0.35, 0.0, 3.0)
"""How far outside the lid's opening each ring lies, in millimetres on the eyeball."""
UPPER_HEIGHT = (2.6, 0.9, 2.0, 1.9, 1.4, 0.25, 0.2)
LOWER_HEIGHT = (1.9, 1.75, 1.75, 1.65, 1.2, 0.25, 0.2)
CORNER_HEIGHT = (2.0, 1.2, 1.2, 1.1, 0.8, 0.25, 0.2)
"""How far above the eyeball each ring lies over the middle of each lid, where the upper one has a crease, and at the
corners."""
FOLLOW = (0.0, 0.25, 0.55, 0.86, 1.0, 1.0, 1.0)
"""How much of the lid's turn each ring takes along."""


def angles() -> np.ndarray:
    """Angle of each spoke around the opening: half a turn at the inner corner, a quarter at the top."""
    return np.pi - 2.0 * np.pi * np.arange(SPOKES) / SPOKES


def across() -> np.ndarray:
    """Share of the way from the inner to the outer corner, [32]."""
    return 0.5 + 0.5 * np.cos(angles())


def is_upper() -> np.ndarray:
    """Spokes that belong to the upper lid; the corners count to neither."""
    return np.sin(angles()) > 1e-9


def tilt() -> np.ndarray:
    """Elevation of the line between the corners, radians: the outer corner a little higher."""
    return np.radians(-7.0 + 10.0 * across())


def opening(upper: float = 22.5, lower: float = -19.0) -> np.ndarray:
    """Elevation of the lid's edge per spoke in radians; the peaks in degrees over the middle."""
    share = across()
    top = np.radians(upper) * np.maximum(np.sin(np.pi * share**0.92), 0.0) ** 0.8
    bottom = np.radians(lower) * np.maximum(np.sin(np.pi * share**1.15), 0.0) ** 0.8
    return tilt() + np.where(is_upper(), top, np.where(np.sin(angles()) < -1e-9, bottom, 0.0))


def closed() -> np.ndarray:
    """Elevation of the line where the lids meet, radians: near the lower lid, sagging in the middle."""
    return tilt() + np.radians(-10.0) * np.maximum(np.sin(np.pi * across()), 0.0)


def on_eyeball(x: np.ndarray, elevation: np.ndarray, height: np.ndarray | float) -> np.ndarray:
    """Places [n, 3] at x from the eye's centre, turned up by `elevation`, `height` above the eyeball."""
    share = 1.0 - (x / (EYE_RADII[0] + 0.4)) ** 2
    radius = EYE_RADII[1] * np.sqrt(0.5 * (share + np.sqrt(share**2 + 0.004))) + height
    return from_eye(np.stack([x, -radius * np.cos(elevation), radius * np.sin(elevation)], axis=1))


def ring_places(edge: np.ndarray, ring: Ring, rest: np.ndarray | None = None) -> np.ndarray:
    """One ring of the lids [32, 3] when the lid's edge stands at `edge` (radians); `rest` is the edge at rest."""
    rest = edge if rest is None else rest
    x = INNER + (OUTER - INNER) * across() + SPREAD[ring] * np.cos(angles()) * 0.55
    outwards = SPREAD[ring] * np.sin(angles()) / EYE_RADII[1]
    middle = np.where(is_upper(), UPPER_HEIGHT[ring], LOWER_HEIGHT[ring])
    height = CORNER_HEIGHT[ring] + np.minimum(1.6 * np.abs(np.sin(angles())), 1.0) * (middle - CORNER_HEIGHT[ring])
    return on_eyeball(x, rest + outwards + FOLLOW[ring] * (edge - rest), height)


def lid_rings(edge: np.ndarray, rest: np.ndarray | None = None) -> np.ndarray:
    """Rings CREASE to BACK, [6, 32, 3]."""
    return np.stack([ring_places(edge, ring, rest) for ring in list(Ring)[1:]])


LOWER_PLAINNESS = 0.85
"""How far the lower lid goes straight over into the cheek."""


def joined_to(border: np.ndarray, rings: np.ndarray) -> np.ndarray:
    """The rings CREASE to BACK, the outer ones of the lower lid and the corners on the straight way to the `border`.

    Without it the skin would dip to the eyeball and come out again; only the upper lid has such a crease.
    """
    result = rings.copy()
    rise = np.sin(angles())
    plain = np.where(rise > 0.0, np.clip(1.0 - 1.6 * rise, 0.0, 1.0), np.maximum(1.0 + 1.6 * rise, LOWER_PLAINNESS))
    plain = plain[:, None]
    inner = rings[Ring.EDGE - 1]
    for ring in (Ring.CREASE, Ring.FOLD, Ring.PLATE):
        share = SPREAD[ring] / SPREAD[Ring.BORDER]
        straight = inner + share * (border - inner)
        result[ring - 1] += plain * (straight - rings[ring - 1])
    return result
