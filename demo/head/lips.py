# SPDX-License-Identifier: GPL-3.0-or-later
"""The lips: from the border of the red over the contact line into the bag of the mouth.

A lip vertex belongs to one of 48 spokes (0 above the middle, 12 at the left corner, 24 below the middle) and to one of
the rings in `Ring`. Everything is a function of the spoke's angle, so upper and lower lip can be made to meet exactly.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from .fields import Field, cast

SPOKES = 48
LINE_HEIGHT = 45.0
"""Height of the mouth corners above the chin."""


class Ring(IntEnum):
    """Rings of the mouth from the skin to the throat."""

    BORDER = 0
    ROLL = 1
    BODY = 2
    RIM = 3
    CONTACT = 4
    WET = 5
    BACK = 6
    VESTIBULE = 7
    CHEEK = 8
    THROAT = 9


HALF_WIDTH = (25.8, 25.2, 24.5, 23.9, 23.5, 22.9, 23.6, 29.0, 28.5, 13.0)
"""Half width of each ring in millimetres."""


def angles() -> np.ndarray:
    """Angle of each spoke, 0 above the middle, a quarter turn at the left corner."""
    return 2.0 * np.pi * np.arange(SPOKES) / SPOKES


def bump(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """A bell of height one."""
    return np.exp(-(((values - centre) / width) ** 2))


def friendly(aside: np.ndarray) -> np.ndarray:
    """How much the mouth rises towards its corners at rest: a hint of a smile."""
    return 1.1 * np.minimum(aside, 1.0) ** 3


def border_curve() -> np.ndarray:
    """Outline of the red seen from the front, [48, 2] of x and z: the cupid's bow and the full lower lip."""
    side, aside = np.cos(angles()), np.abs(np.sin(angles()))
    arch = (1.0 - aside**2.4) ** 0.9
    upper = 8.0 * arch + 1.5 * bump(aside, 0.26, 0.16) - 0.7 * bump(aside, 0.0, 0.1)
    lower = -10.4 * (1.0 - aside**2.6) ** 0.85
    return np.stack(
        [HALF_WIDTH[0] * np.sin(angles()), LINE_HEIGHT + friendly(aside) + np.where(side >= 0, upper, lower)], axis=1
    )


def line_curve(x: np.ndarray) -> np.ndarray:
    """Height of the line where the closed lips meet, over x."""
    aside = np.abs(x) / HALF_WIDTH[Ring.CONTACT]
    return LINE_HEIGHT + friendly(aside) - 0.7 * bump(aside, 0.0, 0.36) + 0.5 * bump(aside, 0.55, 0.3)


def border(form: Field) -> np.ndarray:
    """The border ring on the form, [48, 3]: x and z from the outline, y from the surface."""
    outline = border_curve()
    return cast(form, np.stack([outline[:, 0], np.full(SPOKES, -96.0), outline[:, 1]], axis=1))


def lip_rings(edge: np.ndarray) -> np.ndarray:
    """Rings ROLL to THROAT inside the border `edge`, [9, 48, 3]."""
    return np.concatenate([red_rings(edge), inner_rings(edge)])


RED = (
    (Ring.ROLL, 0.30, 2.2, 2.6),
    (Ring.BODY, 0.62, 4.9, 5.0),
    (Ring.RIM, 0.88, 5.6, 4.9),
    (Ring.CONTACT, 1.0, 3.0, 2.0),
)
"""Per ring: share of the way from the border to the line where the lips meet, and how far the fullest part of the upper
and of the lower lip stands out of the face, millimetres."""
SINK = 1.2
"""How far the lips go back towards the corners."""


def red_rings(edge: np.ndarray) -> np.ndarray:
    """The visible red: ROLL, BODY, RIM and CONTACT."""
    full = 1.0 - np.abs(np.sin(angles())) ** 2.2
    rings = []
    for ring, share, upper, lower in RED:
        x = HALF_WIDTH[ring] * np.sin(angles())
        y = edge[:, 1] - np.where(np.cos(angles()) >= 0, upper, lower) * full + SINK * share * (1.0 - full)
        z = edge[:, 2] + share * (line_curve(x) - edge[:, 2])
        rings.append(np.stack([x, y, z], axis=1))
    meet(rings[-1])
    return np.stack(rings)


def meet(ring: np.ndarray) -> None:
    """Gives each upper spoke and the lower one below it the same place, in place."""
    for upper in range(1, SPOKES // 4):
        for here, there in ((upper, SPOKES // 2 - upper), (SPOKES - upper, SPOKES // 2 + upper)):
            ring[here] = ring[there] = (ring[here] + ring[there]) / 2
    ring[0] = ring[SPOKES // 2] = (ring[0] + ring[SPOKES // 2]) / 2


def inner_rings(edge: np.ndarray) -> np.ndarray:
    """The hidden part: the wet band of the lips, their backs, the bag around the gums, the throat."""
    side, turn = np.cos(angles()), np.sin(angles())
    contact = red_rings(edge)[-1]
    rise = np.sign(side) * np.abs(side) ** 0.6
    rings = []
    for ring, back, lift in ((Ring.WET, 3.0, 0.0), (Ring.BACK, 5.5, 3.0)):
        x = HALF_WIDTH[ring] * turn
        rings.append(np.stack([x, contact[:, 1] + back, line_curve(x) + lift * rise], axis=1))
    for ring, depth, corner, lift in (
        (Ring.VESTIBULE, -84.0, -70.0, 15.0), (Ring.CHEEK, -56.0, -42.0, 20.0), (Ring.THROAT, -22.0, -22.0, 9.0)
    ):  # fmt: skip
        y = depth + (corner - depth) * turn**2
        rings.append(np.stack([HALF_WIDTH[ring] * turn, y, LINE_HEIGHT - 2.0 + lift * rise], axis=1))
    return np.stack(rings)
