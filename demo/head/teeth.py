# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth and gums: crowns set along the dental arches, and the gums that hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Mesh, grid_quads, joined, mirror_copy
from .rings import zipped


@dataclass(frozen=True)
class Arch:
    """One row of teeth, seen from above half an ellipse."""

    widths: tuple[float, ...]
    """Widths of the crowns from the middle outwards, millimetres."""
    half_width: float
    depth: float
    front: float
    """y of the front of the middle incisors."""
    edge: float
    """Height of the biting edge of the middle incisors."""
    up: float
    """+1 where the roots point up."""
    crown: float
    """Length of the middle crown."""


UPPER = Arch((8.6, 6.9, 7.6, 6.8, 6.6, 9.6), 27.0, 42.0, -87.5, 41.4, 1.0, 10.8)
LOWER = Arch((5.5, 6.0, 6.8, 6.9, 6.9, 10.4), 24.5, 40.0, -84.8, 43.4, -1.0, 8.8)
SIDES = 8
CUTTER = ((0.0, 0.84, 0.26), (0.16, 0.96, 0.46), (0.55, 0.98, 0.90), (1.0, 0.72, 1.0))
POINTED = ((0.0, 0.44, 0.34), (0.22, 0.92, 0.56), (0.58, 0.98, 0.92), (1.0, 0.72, 1.0))
GRINDER = ((0.0, 0.78, 0.0), (0.24, 0.97, 0.72), (1.0, 0.76, 1.0))
"""Rings of a crown: share of its length from the edge, of its width, and of its depth."""


def arch_curve(arch: Arch, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 2] on the arch at arc lengths from the middle, and the outward directions there."""
    turn = np.linspace(0.0, np.pi / 2, 400)
    curve = np.stack([arch.half_width * np.sin(turn), arch.front + arch.depth * (1 - np.cos(turn))], axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.interp(np.abs(lengths), travelled, turn)
    side = np.sign(lengths) + (lengths == 0)
    points = np.stack([side * arch.half_width * np.sin(at), arch.front + arch.depth * (1 - np.cos(at))], axis=1)
    normal = np.stack([side * arch.depth * np.sin(at), -arch.half_width * np.cos(at)], axis=1)
    return points, normal / np.linalg.norm(normal, axis=1, keepdims=True)


LEVELS = (CUTTER, CUTTER, POINTED, GRINDER, GRINDER, GRINDER)
DEPTHS = (6.0, 5.6, 7.0, 7.6, 8.0, 9.6)
FLATNESS = (0.0, 0.0, 0.10, 0.55, 0.65, 0.75)
"""Per tooth from the middle: depth at the neck, and how much of it is left at the biting edge."""
LENGTHS = (1.0, 0.93, 1.0, 0.86, 0.80, 0.74)
RISES = (0.0, 0.7, 0.2, 0.6, 0.7, 0.9)
"""Length of the crown against the middle one, and how far its edge stays behind."""
CORNERS = ((0.25, 0.75), (0.55, 1.15), (0.9, 1.2), (0.9, 1.0), (0.7, 0.8), (0.6, 0.7))
"""How much shorter the crown is at its corners, towards the middle of the face and away from it, millimetres."""


def tooth(arch: Arch, number: int) -> Mesh:
    """One crown of the left side: rings of eight vertices from the biting edge to the neck, and a cap at the edge."""
    width, depth = arch.widths[number], DEPTHS[number]
    middle = sum(arch.widths[:number]) + width / 2
    point, outwards = (row[0] for row in arch_curve(arch, np.array([middle])))
    along = np.array([-outwards[1], outwards[0]])
    edge = arch.edge + arch.up * RISES[number]
    rings = []
    for share, wide, deep in LEVELS[number]:
        thick = depth * (FLATNESS[number] + (1 - FLATNESS[number]) * deep)
        ring = crown_ring(width * wide, thick)
        outer = (depth - thick) * 0.30 - depth * 0.5
        plan = point + ring[:, :1] * along + (ring[:, 1:] + outer) * outwards
        rounded = corner_cut(ring[:, 0], CORNERS[number]) * (1.0 - share) ** 6
        height = edge + arch.up * (share * arch.crown * LENGTHS[number] + rounded)
        rings.append(np.column_stack([plan, height]))
    tube = grid_quads(len(rings), SIDES, wrap=True)
    return outward(Mesh(np.concatenate(rings), np.concatenate([tube, zipped(np.arange(SIDES))])))


def corner_cut(x: np.ndarray, cut: tuple[float, float]) -> np.ndarray:
    """How much shorter a crown is at each vertex of a ring, for their places `x` along the arch."""
    aside = np.abs(x) / np.abs(x).max()
    return np.where(x < 0, cut[0], cut[1]) * np.maximum(aside - 0.5, 0.0) / 0.5


def crown_ring(width: float, depth: float) -> np.ndarray:
    """Eight corners of a rounded rectangle, [8, 2]."""
    angle = 2 * np.pi * (np.arange(SIDES) + 0.5) / SIDES
    rounded = (
        np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.5,
        np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.5,
    )
    return np.stack([rounded[0] * width / 2 / 0.961, rounded[1] * depth / 2 / 0.961], axis=1)


def outward(mesh: Mesh) -> Mesh:
    """The closed mesh with its faces turned outwards."""
    corners = mesh.vertices[mesh.quads]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    away = corners.mean(axis=1) - mesh.vertices.mean(axis=0)
    return mesh if (normal * away).sum() > 0 else Mesh(mesh.vertices, mesh.quads[:, ::-1])


def row(arch: Arch) -> Mesh:
    """All teeth of one jaw."""
    left = joined([tooth(arch, number) for number in range(len(arch.widths))])
    return joined([left, mirror_copy(left)])


GUM_SECTION = ((-1.2, 1.4), (0.55, -0.7), (1.25, 2.4), (0.2, 9.5), (-8.0, 9.5), (-7.0, 0.8))
"""Across the gum, from the front of the necks to the back: outwards from the arch, and away from the biting edge."""
PAPILLA = 2.3
"""How far the gum reaches down between two teeth, millimetres."""
PER_TOOTH = 4
"""Sections of the gum for each tooth."""


def gum(arch: Arch) -> Mesh:
    """The gum of one jaw: its profile swept along the arch, the margin scalloped around each tooth."""
    widths = np.array(arch.widths)
    reach = widths.sum()
    starts = np.cumsum(widths) - widths
    steps = np.arange(PER_TOOTH) / PER_TOOTH
    half = np.append((starts[:, None] + steps * widths[:, None]).ravel(), reach + 1.0)
    between = np.append(np.tile(np.abs(2.0 * steps - 1.0), len(widths)), 1.0)
    lengths, between = np.append(-half[:0:-1], half), np.append(between[:0:-1], between)
    points, outwards = arch_curve(arch, lengths)
    neck = arch.crown * (0.80 - 0.22 * np.minimum(np.abs(lengths) / reach, 1.0))
    rows = []
    for away, deep in GUM_SECTION:
        margin = neck - (PAPILLA * between**2 if deep < 1.0 else 0.0)
        rows.append(np.column_stack([points + away * outwards, arch.edge + arch.up * (margin + deep)]))
    vertices = np.stack(rows, axis=1).reshape(-1, 3)
    quads = grid_quads(len(lengths), len(GUM_SECTION))
    return Mesh(vertices, quads if arch.up < 0 else quads[:, ::-1])
