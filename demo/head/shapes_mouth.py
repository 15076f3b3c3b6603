# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of the lips. Each function gives the displacement of one ARKit shape; sided ones give the left."""

from __future__ import annotations

import numpy as np

from .face import Face, Pulls
from .fields import Triple
from .lip_moves import ACROSS, LOWER, ROUND, UPPER, forward, left_half, lifted, rolled, shifted
from .sculpt import SLACK

EVERTED = (0.72, 0.88, 1.0, 1.06, 1.04, 0.9, 0.7)
"""A move forward that turns the red out."""
SOFT = 26.0
"""The tension of the skin around rounded lips: the whole muzzle comes along."""
UPPER_ONE, LOWER_ONE = UPPER.astype(float), LOWER.astype(float)
TOWARDS_CORNER = np.abs(ACROSS) ** 1.6


MUZZLE: Pulls = {
    (0.0, -101.0, 62.0): (0.0, -4.6, 0.6),
    (15.0, -95.0, 62.0): (-3.2, -4.0, 0.4),
    (33.0, -84.0, 60.0): (-5.0, -2.2, 0.0),
    (36.0, -80.0, 45.0): (-7.5, -3.6, 0.0),
    (30.0, -82.0, 28.0): (-5.0, -3.0, 0.6),
    (0.0, -93.0, 26.0): (0.0, -3.2, 0.6),
    (47.0, -66.0, 52.0): (-4.6, 0.6, 0.0),
}
"""What follows when the lips come forward: philtrum, the folds beside the nose, the skin around the corners, the chin's
crease; and the cheeks, which fall in."""


def muzzle(amount: float) -> Pulls:
    """The pulls of both sides, scaled."""
    half: dict[Triple, Triple] = {point: (amount * a, amount * b, amount * c) for point, (a, b, c) in MUZZLE.items()}
    return half | {(-x, y, z): (-a, b, c) for (x, y, z), (a, b, c) in half.items()}


def gathered(places: np.ndarray, factors: tuple[float, ...]) -> np.ndarray:
    """The mouth made narrower, each ring by its own factor, so that the red turns out at the corners."""
    moved = places.copy()
    moved[:, :, 0] *= np.asarray(factors)[:, None]
    return moved


def funnel(face: Face) -> np.ndarray:
    """Both lips come forward, turn out and open to a round funnel."""
    places = gathered(face.lip_rest, (0.72, 0.67, 0.63, 0.60, 0.59, 0.59, 0.62))
    places = rolled(places, -1.8 * ROUND)
    places = forward(places, 4.6 + 3.6 * ROUND, EVERTED)
    places = lifted(places, (UPPER_ONE * 5.6 - LOWER_ONE * 5.4) * ROUND**0.55, (0.75, 0.9, 1.0, 1.0, 0.95, 0.8, 0.7))
    return face.balanced(face.posed_lips(places, muzzle(0.8), SOFT))


def pucker(face: Face) -> np.ndarray:
    """The lips gather to a kiss: narrow, forward, closed."""
    places = gathered(face.lip_rest, (0.63, 0.57, 0.52, 0.49, 0.48, 0.48, 0.52))
    places = forward(places, 6.4 + 3.8 * ROUND, EVERTED)
    places = lifted(places, (UPPER_ONE * 2.6 - LOWER_ONE * 2.6) * ROUND**0.7, (1.0, 0.9, 0.6, 0.2, 0.0, 0.0, 0.3))
    return face.balanced(face.posed_lips(places, muzzle(1.0), SOFT))


def sideways(face: Face) -> np.ndarray:
    """The whole mouth drawn to the left."""
    trailing = np.maximum(-ACROSS, 0.0)
    places = shifted(face.lip_rest, (14.0, 0.0, 0.8), 1.0 - 0.25 * trailing)
    places = shifted(places, (0.0, 2.0, 0.0), np.maximum(ACROSS, 0.0)) + trailing[None, :, None] * (0.0, -5.0, 0.0)
    return face.posed_lips(places, {(40.0, -70.0, 50.0): (3.0, 0.0, 1.0), (-40.0, -70.0, 50.0): (5.0, 0.0, 0.0)})


def smile(face: Face) -> np.ndarray:
    """The left corner goes out, up and back along the teeth; the cheek rises over it."""
    out, up = np.abs(ACROSS) ** 1.3 * (ACROSS > 0), np.abs(ACROSS) ** 2.2 * (ACROSS > 0)
    places = shifted(shifted(face.lip_rest, (8.5, 5.0, 0.0), out), (0.0, 0.0, 9.0), up)
    places = lifted(places, (0.8 * UPPER_ONE - 0.3 * LOWER_ONE) * left_half() * ROUND, (1, 1, 0.8, 0.4, 0.0, 0.0, 0.0))
    cheek = {
        (36.0, -80.0, 78.0): (1.5, -3.0, 4.5),
        (46.0, -68.0, 60.0): (4.0, -1.0, 4.0),
        (26.0, -86.0, 66.0): (2.5, 0.0, 2.5),
    }
    return face.posed_lips(places, cheek, SLACK)


def frown(face: Face) -> np.ndarray:
    """The left corner is drawn down."""
    places = shifted(face.lip_rest, (1.0, 1.0, -8.5), TOWARDS_CORNER * (ACROSS > 0))
    return face.posed_lips(places, {(30.0, -78.0, 22.0): (1.0, 0.0, -3.0)})


def dimple(face: Face) -> np.ndarray:
    """The left corner is pressed back against the teeth and out."""
    places = shifted(face.lip_rest, (6.5, 6.0, 1.6), np.abs(ACROSS) ** 2 * (ACROSS > 0))
    cheek = {(33.0, -84.0, 46.0): (4.0, 4.6, 1.0), (43.0, -74.0, 50.0): (2.0, -1.2, 0.8)}
    return face.posed_lips(places, cheek)


def stretch(face: Face) -> np.ndarray:
    """The left corner is drawn straight out and a little down."""
    places = shifted(face.lip_rest, (8.5, 5.0, -2.0), TOWARDS_CORNER * (ACROSS > 0))
    return face.posed_lips(places, {(40.0, -70.0, 30.0): (3.5, 0.5, -2.0)})


def roll_lower(face: Face) -> np.ndarray:
    """The lower lip rolls inwards over the teeth."""
    places = rolled(face.lip_rest, LOWER_ONE * 5.0 * ROUND**0.6)
    places = lifted(places, LOWER_ONE * 1.6 * ROUND, (0.5, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0))  # no slit halfway
    return face.balanced(face.posed_lips(places, {(0.0, -90.0, 24.0): (0.0, 0.5, 1.5)}))


def roll_upper(face: Face) -> np.ndarray:
    """The upper lip rolls inwards over the teeth."""
    places = rolled(face.lip_rest, UPPER_ONE * 4.2 * ROUND**0.6)
    places = lifted(places, -UPPER_ONE * 0.9 * ROUND, (0.5, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0))  # no slit halfway
    return face.balanced(face.posed_lips(places))


def shrug_lower(face: Face) -> np.ndarray:
    """The chin pushes the lower lip up and out; the upper lip gives way."""
    places = lifted(
        face.lip_rest, ROUND**0.7 * (LOWER_ONE * 4.0 + UPPER_ONE * 3.6), (0.7, 0.8, 0.9, 1.0, 1.0, 1.0, 1.0)
    )
    places = level(places, face)
    places = forward(places, LOWER_ONE * 3.0 * ROUND, (0.4, 0.8, 1.0, 0.9, 0.2, 0.0, 0.0))
    return face.balanced(face.posed_lips(places, {(0.0, -91.0, 16.0): (0.0, -1.0, 4.0)}))


def shrug_upper(face: Face) -> np.ndarray:
    """The upper lip is lifted towards the nose and pushed out, the lower lip comes along."""
    places = lifted(
        face.lip_rest, ROUND**0.7 * (UPPER_ONE * 3.2 + LOWER_ONE * 3.2), (0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    )
    places = level(places, face)
    places = forward(places, UPPER_ONE * 2.5 * ROUND, (0.5, 0.9, 1.0, 0.9, 0.2, 0.0, 0.0))
    places[0, LOWER, 2] -= 1.6 * ROUND[LOWER]
    return face.balanced(face.posed_lips(places))


def level(places: np.ndarray, face: Face) -> np.ndarray:
    """The lips after a lift, with lower contact and wet rings put back onto the upper ones."""
    result = places.copy()
    spokes = np.arange(48)
    partner = (24 - spokes) % 48
    for ring in (4, 5):
        result[ring, LOWER] = places[ring, partner[LOWER]]
    return result


def press(face: Face) -> np.ndarray:
    """The left halves of the lips are pressed together, their red gets narrow."""
    places = rolled(face.lip_rest, 3.2 * left_half() * ROUND**0.5)
    return face.posed_lips(places)


def lower_down(face: Face) -> np.ndarray:
    """The left half of the lower lip is drawn down and shows the lower teeth."""
    weight = LOWER_ONE * left_half() * np.maximum(1 - ACROSS**2, 0) ** 0.55
    places = lifted(face.lip_rest, -7.0 * weight, (0.8, 0.9, 1.0, 1.0, 1.0, 0.95, 0.8))
    return face.posed_lips(shifted(places, (1.0, 0.8, 0.0), weight))


def upper_up(face: Face) -> np.ndarray:
    """The left half of the upper lip is raised and shows the upper teeth."""
    weight = UPPER_ONE * left_half() * np.maximum(1 - ACROSS**2, 0) ** 0.55
    places = lifted(face.lip_rest, 5.5 * weight, (0.75, 0.9, 1.0, 1.0, 1.0, 0.95, 0.8))
    return face.posed_lips(places, {(17.0, -97.0, 74.0): (0.4, 0.0, 1.2), (30.0, -86.0, 62.0): (0.8, -0.6, 2.0)})
