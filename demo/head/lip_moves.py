# SPDX-License-Identifier: GPL-3.0-or-later
"""What lips can do: slide along their own profile, part, come forward, narrow; as functions of the spoke.

All functions take and give the places of the lip rings BORDER to BACK, [7, 48, 3] in millimetres.
"""

from __future__ import annotations

import numpy as np

from .lips import SPOKES, Ring, angles

RINGS = len(range(Ring.BORDER, Ring.VESTIBULE))
ACROSS = np.sin(angles())
"""-1 at the right corner, 0 in the middle, 1 at the left corner."""
UPPER = np.maximum(np.cos(angles()), 0.0) > 1e-9
LOWER = np.cos(angles()) < -1e-9
UPPER_SIGN = UPPER.astype(float) - LOWER.astype(float)
REACH = 12.0
"""How far the profile of a lip is continued, millimetres."""
ROUND = np.sqrt(np.maximum(1.0 - ACROSS**2, 0.0))
"""1 in the middle, 0 at the corners, like half a circle."""


def eased(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def left_half() -> np.ndarray:
    """Weight of the left half of the mouth per spoke; with its mirror image it adds up to one."""
    return eased(ACROSS, -0.45, 0.45)


def rolled(places: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The lips conveyed along their own profile, inwards by `distance` [48] millimetres (outwards where negative).

    The profile goes on straight over the skin at one end, and up or down in front of the teeth at the other, so the
    lips stay in touch along the line where they met and pass the teeth.
    """
    moved = places.copy()
    for spoke in range(SPOKES):
        profile = places[:, spoke]
        at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
        skin = profile[0] + REACH * unit(profile[0] - profile[1])
        inside = profile[-1] + REACH * unit(np.array((0.0, 0.25, UPPER_SIGN[spoke])))
        line, stations = np.vstack([skin, profile, inside]), np.concatenate([[-REACH], at, [at[-1] + REACH]])
        wanted = at + distance[spoke]
        moved[:, spoke] = np.stack([np.interp(wanted, stations, line[:, axis]) for axis in range(3)], axis=1)
    return moved


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector with length one."""
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def forward(places: np.ndarray, distance: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """The lips pushed out by `distance` [48] times a share per ring."""
    moved = places.copy()
    moved[:, :, 1] -= np.asarray(shares)[:, None] * distance
    return moved


def lifted(places: np.ndarray, distance: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """The lips moved up by `distance` [48] times a share per ring."""
    moved = places.copy()
    moved[:, :, 2] += np.asarray(shares)[:, None] * distance
    return moved


def shifted(places: np.ndarray, move: tuple[float, float, float], weight: np.ndarray) -> np.ndarray:
    """The lips moved by one vector, weighted per spoke [48]."""
    return places + weight[None, :, None] * np.asarray(move)
