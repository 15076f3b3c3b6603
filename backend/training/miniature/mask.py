# SPDX-License-Identifier: GPL-3.0-or-later
"""The face of the miniature: a mask of points, computed, and how far every control moves each of them, in metres.

A place on the mask is (across, up), both -1 to 1: the mouth lies at (0, `MOUTH`), x is the face's left, z its front.
Two meshes of unlike topology are made of it: rows of points, and rings around the mouth.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

SPEECH: tuple[str, ...] = (
    *("jawOpen", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthPress", "mouthStretch"),
    *("mouthSmile", "mouthLowerDown", "mouthUpperUp", "mouthShrugLower", "mouthShrugUpper", "tongueOut"),
    *("mouthDimple", "jawForward", "mouthClose"),
)
"""What the rules of speech (`lips.rules`) say of the lower face."""
CONTROLS: tuple[str, ...] = (*SPEECH, "browInnerUp", "eyeBlink")
"""What moves the mask, all 0 to 1."""
JAW = CONTROLS.index("jawOpen")
JAW_ANGLE = 0.3
"""Radians of a jaw that is wide open."""
HINGE = np.array([0.0, -0.005, -0.02], np.float32)
"""Metres: what the jaw turns about, along x."""
MOUTH, MOUTH_WIDTH = -0.42, 0.32
_ANY, _UPPER, _LOWER = 0, 1, -1


class _Push(NamedTuple):
    """Points around one place, and around its mirror image, go in one direction, the less the farther away."""

    across: float
    up: float
    reach: float
    millimetres: tuple[float, float, float]
    """x is away from the middle of the face."""
    lip: int = _ANY
    """Only points above or below the line between the lips."""


_LIPS = (0.0, MOUTH, 0.26)
_CORNER = (0.30, MOUTH, 0.20)
_PUSHES: dict[str, tuple[_Push, ...]] = {
    "mouthFunnel": (_Push(*_LIPS, (0, 3, 5), _UPPER), _Push(*_LIPS, (0, -3, 5), _LOWER), _Push(*_CORNER, (-5, 0, 2))),
    "mouthPucker": (_Push(*_LIPS, (0, 0, 7)), _Push(*_CORNER, (-9, 0, 4))),
    "mouthRollLower": (_Push(*_LIPS, (0, 2, -4), _LOWER),),
    "mouthRollUpper": (_Push(*_LIPS, (0, -2, -4), _UPPER),),
    "mouthPress": (_Push(*_LIPS, (0, -1, -2), _UPPER), _Push(*_LIPS, (0, 1, -2), _LOWER)),
    "mouthStretch": (_Push(*_CORNER, (7, -3, -2)),),
    "mouthSmile": (_Push(*_CORNER, (7, 7, -3)), _Push(0.5, -0.15, 0.25, (1, 3, 2))),
    "mouthLowerDown": (_Push(*_LIPS, (0, -7, 1), _LOWER),),
    "mouthUpperUp": (_Push(*_LIPS, (0, 6, 1), _UPPER),),
    "mouthShrugLower": (_Push(*_LIPS, (0, 4, 2), _LOWER), _Push(0.0, -0.7, 0.2, (0, 3, 1))),
    "mouthShrugUpper": (_Push(*_LIPS, (0, 3, 1), _UPPER),),
    "mouthDimple": (_Push(*_CORNER, (3, 0, -5)),),
    "jawForward": (_Push(0.0, -0.75, 0.45, (0, 0, 6), _LOWER),),
    "browInnerUp": (_Push(0.25, 0.55, 0.25, (0, 7, 1)),),
    "eyeBlink": (_Push(0.40, 0.25, 0.12, (0, -6, 1)),),
}
"""tongueOut moves nothing, because the mask has no tongue; jawOpen and mouthClose turn the jaw."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One mesh of the face."""

    points: np.ndarray
    """float32 [V, 3]: the neutral face."""
    fields: np.ndarray
    """float32 [controls, V, 3]: what each control adds when it is 1; the jaw's are those of a straight line."""
    jaw: np.ndarray
    """float32 [V]: how far each point follows the jaw."""
    lips: np.ndarray
    """int64: what lip metrics look at."""
    upper_face: np.ndarray

    def pose(self, values: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
        """Controls [frames, 18] to points float32 [frames, V, 3], on another face if one is given; the jaw turns."""
        rest = self.points if neutral is None else neutral
        straight = np.delete(np.arange(len(CONTROLS)), JAW)
        shaped = rest + np.tensordot(values[:, straight], self.fields[straight], 1)
        angle = JAW_ANGLE * values[:, JAW, None]
        turned = _turned(shaped, angle)
        return (shaped + self.jaw[:, None] * (turned - shaped)).astype(np.float32)


@functools.cache
def of_rows(columns: int = 30, rows: int = 34) -> Mask:
    """Points in rows, which lie closer together at the height of the mouth."""
    up = _denser(np.linspace(-1, 1, rows), MOUTH)
    across = _denser(np.linspace(-1, 1, columns), 0.0)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    return _of_places(grid)


@functools.cache
def of_rings(rings: int = 18, spokes: int = 26) -> Mask:
    """Points on rings around the mouth, as far as the face goes."""
    angle = (np.arange(spokes) + 0.5) / spokes * 2 * np.pi
    radius = 0.05 + 1.5 * np.linspace(0, 1, rings) ** 1.6
    places = np.stack(
        [np.outer(radius, 1.2 * np.cos(angle)).ravel(), MOUTH + np.outer(radius, np.sin(angle)).ravel()], axis=1
    )
    return _of_places(places[(np.abs(places) <= 1).all(axis=1)])


def surface(places: np.ndarray) -> np.ndarray:
    """float32 [V, 3]: where places [V, 2] lie: the front of a head, 0.15 m wide and 0.22 m high, with a nose."""
    across, up = places.T
    nose = 0.022 * np.exp(-((across / 0.16) ** 2) - ((up + 0.05) / 0.22) ** 2)
    depth = 0.085 * np.cos(1.35 * across) * (1 - 0.3 * up**2) + nose
    return np.stack([0.075 * np.sin(1.35 * across), 0.11 * up, depth], axis=1).astype(np.float32)


def _of_places(places: np.ndarray) -> Mask:
    points = surface(places)
    across, up = places.T
    below = 1 / (1 + np.exp((up - MOUTH - 0.10 * (np.abs(across) > MOUTH_WIDTH)) / 0.02))
    jaw = (below * np.clip(1.25 - 0.8 * np.abs(across), 0, 1)).astype(np.float32)
    fields = np.stack([_field(places, _PUSHES.get(name, ())) for name in CONTROLS])
    opened = jaw[:, None] * (_turned(points, np.array(JAW_ANGLE)) - points)
    fields[JAW] = opened
    fields[CONTROLS.index("mouthClose")] = -_fall(places, *_LIPS)[:, None] * opened
    lips = np.flatnonzero((np.abs(across) < MOUTH_WIDTH + 0.08) & (np.abs(up - MOUTH) < 0.14))
    return Mask(points, fields.astype(np.float32), jaw, lips, np.flatnonzero(up > 0.1))


def _field(places: np.ndarray, pushes: tuple[_Push, ...]) -> np.ndarray:
    """[V, 3]: the sum of pushes."""
    field = np.zeros((len(places), 3))
    for push in pushes:
        held = np.ones(len(places)) if push.lip == _ANY else np.sign(places[:, 1] - MOUTH) == push.lip
        x, y, z = np.array(push.millimetres) / 1000
        for side in (-1, 1) if push.across else (1,):
            fall = held * _fall(places, side * push.across, push.up, push.reach)
            field += fall[:, None] * np.array([side * x, y, z])
    return field


def _fall(places: np.ndarray, across: float, up: float, reach: float) -> np.ndarray:
    """[V]: 1 at a place, falling off as a bell; lips are wider than high."""
    squares = ((places[:, 0] - across) / reach) ** 2 + ((places[:, 1] - up) / (0.7 * reach)) ** 2
    return np.exp(-squares)


def _turned(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points [..., V, 3] turned about the hinge by angles [..., 1] that open the mouth."""
    _, y, z = np.moveaxis(points - HINGE, -1, 0)
    sine, cosine = np.sin(angle), np.cos(angle)
    turned = np.stack([np.zeros_like(y), cosine * y - sine * z, sine * y + cosine * z], axis=-1) + HINGE
    turned[..., 0] = points[..., 0]
    return turned


def _denser(spread: np.ndarray, centre: float) -> np.ndarray:
    """Even numbers from -1 to 1 moved three times closer together around a centre; none lies on it."""
    fine = np.linspace(-1, 1, 2001)
    passed = np.cumsum(1 + 2 * np.exp(-(((fine - centre) / 0.3) ** 2)))
    share = (passed - passed[0]) / (passed[-1] - passed[0])
    placed = np.interp((spread + 1) / 2, share, fine)
    nearest = np.argmin(np.abs(placed - centre))
    if abs(placed[nearest] - centre) < 0.01:
        placed[nearest] = centre + 0.01
    return placed
