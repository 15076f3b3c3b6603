# SPDX-License-Identifier: GPL-3.0-or-later
"""The hair, a mesh of its own: parted on the left, combed over the ears in locks, wound into a low knot.

A thin cap lies on the scalp. Over it go locks from the hairline, locks from the parting, and a few loose strands that
frame the face. The hair moves with no shape, so it may differ from left to right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .curves import through
from .fields import gradient
from .form import head
from .locks import Lock, swept, unit
from .mesh import Mesh, grid_quads, joined
from .rings import zipped

CENTRE = np.array((0.0, 8.0, 138.0))
"""Inside the skull; the scalp is looked for from here."""
KNOT = np.array((0.0, 101.0, 116.0))
"""Where the locks come together, at the back of the head."""
HAIRLINE = (
    (0.0, -82.0, 184.0), (18.0, -80.0, 183.5), (36.0, -70.0, 178.0), (49.0, -58.0, 166.0), (57.0, -48.0, 150.0),
    (63.0, -36.0, 140.0), (67.0, -24.0, 134.5), (69.0, -12.0, 133.0), (71.0, 0.0, 133.0),
    (72.0, 14.0, 133.0), (70.0, 28.0, 121.0), (63.0, 38.0, 98.0), (52.0, 50.0, 76.0), (36.0, 64.0, 60.0),
    (18.0, 74.0, 51.0), (0.0, 77.0, 48.0),
)  # fmt: skip
"""The left hairline from the forehead over temple, sideburn and ear to the nape."""
SPOKES = 50
CROWN = np.array((0.0, 40.0, 216.0))
"""Where the cap closes."""
STEPS = (0.0, 0.05, 0.14, 0.30, 0.50, 0.70, 0.87, 0.97)
"""Shares of the way from the hairline to the crown at which the cap has vertices."""
CAP_HEIGHT = (-1.6, 0.6, 2.6, 4.0, 4.6, 4.8, 5.0, 5.0)

SHORT_SIDE = (
    ((18, -79.5, 186), (38, -73, 180), (58, -51, 164), (74, -12, 140), (60, 58, 114), (7, 99, 112)),
    ((15, -36, 216.5), (40, -26, 207), (62, -6, 185), (74, 26, 150), (50, 74, 126), (6, 101, 118)),
    ((12, 26, 221), (30, 44, 213), (48, 64, 190), (50, 82, 158), (28, 96, 136), (4, 102, 122)),
    ((7, 42, 218), (6, 62, 211), (5, 85, 190), (5, 99, 160), (4, 103, 140), (1, 103, 124)),
)
"""Ways from the parting to the knot on the left: the front one, two between, the one down the back of the head."""
LONG_SIDE = (
    ((24, -78.5, 185.5), (-8, -82, 187), (-47, -66, 171), (-74, -14, 141), (-60, 58, 114), (-7, 99, 112)),
    ((20, -36, 216), (-20, -32, 217), (-56, -10, 195), (-74, 26, 150), (-50, 74, 126), (-6, 101, 118)),
    ((10, 26, 221), (-14, 44, 215), (-42, 66, 191), (-50, 82, 158), (-28, 96, 136), (-4, 102, 122)),
    ((6, 42, 219), (2, 62, 211), (-2, 85, 190), (-3, 99, 160), (-3, 103, 140), (-1, 103, 124)),
)
LOCKS_SHORT, LOCKS_LONG, LOCKS_UNDER = 16, 18, 22
"""How many locks each side of the parting has, and how many rise from each hairline."""
RISE = ((0.0, 0.14, 0.34, 0.62, 0.86, 1.0), (1.5, 6.0, 8.6, 8.4, 6.6, 1.0))
WIDTH = ((0.0, 0.2, 0.55, 0.85, 1.0), (5.4, 7.6, 8.8, 6.6, 2.4))
THICKNESS = ((0.0, 0.15, 0.6, 1.0), (0.8, 3.0, 4.4, 2.4))
"""Along a lock from the parting: height over the scalp, half width and thickness in millimetres."""
SNUG = ((0.0, 0.3), (0.42, 1.0))
"""From the forehead backwards: share of that height, so that no dark gap opens under the locks beside the face."""
STATIONS = 14

STRANDS = (
    (4.6, (22, -74, 186), (46, -76, 182), (62.5, -62, 160), (70, -49, 133), (71, -46, 110), (69.5, -49, 92),
     (70, -53, 80)),
    (3.4, (20, -62, 199), (54, -58, 184), (70.5, -42, 156), (75, -33, 128), (73.5, -31, 104), (71, -35, 88)),
    (5.0, (-12, -77, 186), (-47, -76, 181), (-63.5, -60, 159), (-71, -47, 131), (-71, -44, 106), (-69.5, -48, 88),
     (-70.5, -53, 74)),
    (3.4, (-26, -64, 197), (-60, -54, 180), (-72.5, -40, 150), (-75, -32, 122), (-72.5, -32, 98), (-71, -36, 85)),
)  # fmt: skip
"""The loose strands: half width and way in millimetres."""

SHADE = np.array((0.105, 0.046, 0.022))
ROOT_SHADE, TIP_LIGHT = 0.55, 1.30
"""The colour of the hair, and how much darker it is at the roots and lighter at the tips."""


@dataclass(frozen=True, eq=False)
class Hair:
    """All hair as one mesh, with its colour [V, 3] and the coordinates of its strands [V, 3]."""

    mesh: Mesh
    tint: np.ndarray
    grain: np.ndarray


def hair() -> Hair:
    """The cap, the locks, the strands and the knot."""
    cover, cover_grain = cap()
    locks = list(all_locks())
    mesh = joined([cover, *(Mesh(lock.vertices, lock.quads) for lock in locks)])
    random = np.random.default_rng(11)
    shades = [np.tile(0.7 * SHADE, (len(cover.vertices), 1))]
    for lock in locks:
        light = np.interp(lock.along, (0.0, 0.25, 0.8, 1.0), (ROOT_SHADE, 0.95, 1.05, TIP_LIGHT))
        shades.append(SHADE * (light * random.uniform(0.78, 1.28))[:, None])
    return Hair(mesh, np.concatenate(shades), np.concatenate([cover_grain, *(lock.grain for lock in locks)]))


def all_locks() -> Iterator[Lock]:
    """Every lock, from the nape up and from the parting down, then the strands and the knot."""
    random = np.random.default_rng(5)
    number = 0
    for make in (under_locks, parted_locks, strands, knot):
        for path, outwards, half_width, thickness in make(random):
            yield swept(path, outwards, half_width, thickness, number)
            number += 1


Way = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Path [n, 3], outward directions [n, 3], half width [n] and thickness [n] of a lock."""


def scalp(directions: np.ndarray) -> np.ndarray:
    """Distance from CENTRE to the form along unit directions [n, 3], by halving."""
    low, high = np.full(len(directions), 20.0), np.full(len(directions), 190.0)
    for _ in range(26):
        middle = (low + high) / 2
        inside = head(CENTRE + middle[:, None] * directions) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2


def over_scalp(points: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 3] brought to a height [n] over the scalp, and the outward directions there."""
    toward = unit(points - CENTRE)
    ground = CENTRE + scalp(toward)[:, None] * toward
    outwards = unit(unit(gradient(head, ground)) + toward)
    return ground + height[:, None] * outwards, outwards


def hairline() -> np.ndarray:
    """Where the cap starts, [50, 3]: the left line, and its mirror image back to the front."""
    left = through(np.array(HAIRLINE), SPOKES // 2 + 1)
    return np.concatenate([left, left[-2:0:-1] * (-1.0, 1.0, 1.0)])


def bent(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """Directions a share of the way along the great circles from `start` [n, 3] to `end` [3]."""
    angle = np.arccos(np.clip(start @ end, -1.0, 1.0))[:, None]
    return (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)


def cap() -> tuple[Mesh, np.ndarray]:
    """The hair that lies on the scalp, and its grain."""
    start, end = unit(hairline() - CENTRE), unit((CROWN - CENTRE)[None])[0]
    rows = []
    for share, height in zip(STEPS, CAP_HEIGHT, strict=True):
        aim = bent(start, end, share)
        rows.append(CENTRE + (scalp(aim) + height)[:, None] * aim)
    row, spoke = np.divmod(np.arange(len(rows) * SPOKES), SPOKES)
    spoke = np.minimum(spoke, SPOKES - spoke)
    grain = np.stack([1.0 * spoke, 0.5 * np.array(STEPS)[row], 0.0 * spoke], axis=1)
    last = np.arange(SPOKES) + (len(rows) - 1) * SPOKES
    quads = np.concatenate([grid_quads(len(rows), SPOKES, wrap=True), zipped(last)])
    return Mesh(np.concatenate(rows), quads), grain


def parted_locks(random: np.random.Generator) -> Iterator[Way]:
    """The locks that fall from the parting to both sides."""
    along = np.linspace(0.0, 1.0, STATIONS)
    for ways, count in ((LONG_SIDE, LOCKS_LONG), (SHORT_SIDE, LOCKS_SHORT)):
        keys = np.array(ways, dtype=float)
        for index in reversed(range(count)):
            share = np.clip((index + random.uniform(-0.12, 0.12)) / (count - 1), 0.0, 1.0)
            before = min(int(share * (len(keys) - 1)), len(keys) - 2)
            corners = keys[before] + (share * (len(keys) - 1) - before) * (keys[before + 1] - keys[before])
            lift = random.uniform(-1.0, 1.0)
            height = np.interp(share, *SNUG) * (np.interp(along, *RISE) + lift * np.sin(np.pi * along))
            path, outwards = over_scalp(through(corners, STATIONS), height)
            wide = random.uniform(0.85, 1.2)
            yield path, outwards, wide * np.interp(along, *WIDTH), np.interp(along, *THICKNESS)


def under_locks(random: np.random.Generator) -> Iterator[Way]:
    """The locks that rise from the hairline at temples, ears and nape."""
    line = through(np.array(HAIRLINE), 200)[66:]
    end = unit((KNOT - CENTRE)[None])[0]
    along = np.linspace(0.0, 1.0, STATIONS - 4)
    for side in (1.0, -1.0):
        for index in range(LOCKS_UNDER):
            at = round((index + random.uniform(0.0, 0.5)) / LOCKS_UNDER * (len(line) - 1))
            start = unit((line[at] * (side, 1.0, 1.0) - CENTRE)[None])
            aims = np.concatenate([bent(start, end, share) for share in 0.97 * along])
            height = np.interp(along, (0.0, 0.2, 0.6, 1.0), (-1.0, 2.2, 4.2, 2.0)) + random.uniform(-0.6, 0.6) * along
            path, outwards = over_scalp(CENTRE + 80.0 * aims, height)
            wide = random.uniform(0.9, 1.2)
            half_width = wide * np.interp(along, (0.0, 0.12, 0.4, 0.7, 1.0), (1.6, 4.6, 6.2, 5.4, 2.2))
            yield path, outwards, half_width, np.interp(along, (0.0, 0.3, 1.0), (0.3, 2.4, 2.0))


def strands(_random: np.random.Generator) -> Iterator[Way]:
    """The loose strands beside the face."""
    along = np.linspace(0.0, 1.0, STATIONS)
    for half_width, *corners in STRANDS:
        path = through(np.array(corners, dtype=float), STATIONS)
        outwards = unit((path - CENTRE) * (1.0, 1.0, 0.35))
        slim = np.interp(along, (0.0, 0.22, 0.55, 0.8, 1.0), (0.1, 1.0, 0.9, 0.6, 0.05))
        yield path, outwards, half_width * slim, 0.55 * half_width * slim


KNOT_ROPES, KNOT_TURNS, KNOT_STATIONS = 3, 1.35, 24
KNOT_RADIUS, KNOT_DEPTH = 20.0, 17.0


def knot(_random: np.random.Generator) -> Iterator[Way]:
    """The knot: three ropes of hair wound inwards around each other."""
    axis = unit((KNOT - CENTRE)[None])[0]
    side = np.array((1.0, 0.0, 0.0))
    up = np.cross(axis, side)
    along = np.linspace(0.0, 1.0, KNOT_STATIONS)
    for rope in range(KNOT_ROPES):
        turn = 2.0 * np.pi * (rope / KNOT_ROPES + KNOT_TURNS * along)
        radius = KNOT_RADIUS * np.interp(along, (0.0, 0.45, 1.0), (1.0, 0.92, 0.12))
        out = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * up
        depth = 1.0 + KNOT_DEPTH * np.sin(0.5 * np.pi * along) ** 1.4
        path = KNOT + radius[:, None] * out + depth[:, None] * axis
        outwards = unit(path - KNOT + 4.0 * axis)
        slim = np.interp(along, (0.0, 0.12, 0.7, 1.0), (0.5, 1.0, 0.9, 0.35))
        yield path, outwards, 11.0 * slim, 8.0 * slim
