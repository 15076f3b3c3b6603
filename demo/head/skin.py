# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin: the cage draped over the form, with eyelids, lips and the bag of the mouth grown into its holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import eyelids, form, lips
from .cage import cage, corner, half_quads
from .drape import draped, polished
from .fields import drop
from .form import EYE
from .mesh import Mesh, border_edges, border_loop, edges_of, mirror_map, subdivided
from .rings import attached, zipped


@dataclass(frozen=True, eq=False)
class Skin:
    """The skin of head and mouth, and where its parts lie."""

    mesh: Mesh
    mirror: np.ndarray
    """int64 [V]: the vertex on the other side."""
    lips: np.ndarray
    """int64 [rings, 48] by `lips.Ring`."""
    lids: np.ndarray
    """int64 [2, rings, 32] by `eyelids.Ring`; the left eye first."""
    rim: np.ndarray
    """int64: the cut edge of the bust."""


def skin() -> Skin:
    """The whole skin, exactly symmetric."""
    base = subdivided(subdivided(cage()))
    mirror = mirror_map(base.vertices)
    mouth, left = loop_at(base, "m0", 1.0), loop_at(base, "e0", 1.0)
    mesh = laid_on_form(base, mouth, left, mirror[left])
    lids = eyelids.joined_to(mesh.vertices[left], eyelids.lid_rings(eyelids.opening()))
    mesh, left_rings = attached(mesh, left, lids)
    mesh, right_rings = attached(mesh, mirror[left][::-1], lids[:, ::-1] * (-1.0, 1.0, 1.0))
    mesh, lip_rings = attached(mesh, mouth, lips.lip_rings(mesh.vertices[mouth]))
    mesh = Mesh(mesh.vertices, np.concatenate([mesh.quads, zipped(lip_rings[-1])]))
    both = np.stack([left_rings, right_rings[:, ::-1]])
    mirror = extended(mirror, len(mesh.vertices), both, lip_rings)
    rim = np.unique(border_edges(mesh.quads))
    return Skin(symmetric(mesh, mirror), mirror, lip_rings, both, rim)


def extended(mirror: np.ndarray, count: int, lids: np.ndarray, lip_rings: np.ndarray) -> np.ndarray:
    """The mirror map of the base, grown by the rings: lids swap sides, lip spokes run the other way round."""
    grown = np.concatenate([mirror, np.arange(len(mirror), count)])
    grown[lids[0]], grown[lids[1]] = lids[1], lids[0]
    grown[lip_rings] = np.roll(lip_rings[:, ::-1], 1, axis=1)
    return grown


def loop_at(mesh: Mesh, name: str, side: float) -> np.ndarray:
    """The border loop from a named corner, first over the next corner towards +z (eyes) or +x (mouth)."""
    start = corner(name)
    edges = border_edges(mesh.quads)
    around = edges[(edges == start).any(axis=1)]
    candidates = np.where(around[:, 0] == start, around[:, 1], around[:, 0])
    ahead = mesh.vertices[candidates][:, 2 if name.startswith("e") else 0] * side
    return border_loop(mesh.quads, start, int(candidates[ahead.argmax()]))


def laid_on_form(base: Mesh, mouth: np.ndarray, left: np.ndarray, right: np.ndarray) -> Mesh:
    """The base draped over the form with the holes of mouth and eyes on their curves."""
    places = base.vertices.copy()
    rim = np.setdiff1d(np.unique(border_edges(base.quads)), np.concatenate([mouth, left, right]))
    places[mouth] = lips.border(form.head)
    places[left] = drop(form.head, eyelids.ring_places(eyelids.opening(), eyelids.Ring.BORDER))
    places[right] = places[left] * (-1.0, 1.0, 1.0)
    places[rim] = cut_edge(places[rim])
    held = np.concatenate([mouth, left, right, rim])
    fixed = np.isin(np.arange(len(places)), held)
    mesh = draped(Mesh(places, base.quads), form.head, fixed)
    mesh, bottoms = with_nostrils(mesh, fixed)
    weight = plainness(mesh.vertices)
    weight[np.concatenate([held, bottoms])] = 0.0
    return polished(mesh, weight)


BUST_AXIS, BUST_REACH, BUST_FLOOR = np.array((0.0, 26.0)), np.array((98.0, 62.0)), -121.5
"""Where the bust is cut: x and y of its axis, the half axes of the cut through the shoulders, and its height."""


def cut_edge(points: np.ndarray) -> np.ndarray:
    """The level rim of the bust [n, 3]: on the form where that is narrower than the cut, else on the cut."""
    away = points[:, :2] - BUST_AXIS
    low, high = np.full(len(away), 0.1), 1.0 / np.linalg.norm(away / BUST_REACH, axis=1)
    furthest = high.copy()
    for _ in range(30):
        middle = (low + high) / 2
        plan = BUST_AXIS + middle[:, None] * away
        inside = form.head(np.column_stack([plan, np.full(len(plan), BUST_FLOOR)])) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    reach = np.minimum(low, furthest)[:, None]
    return np.column_stack([BUST_AXIS + reach * away, np.full(len(away), BUST_FLOOR)])


def plainness(points: np.ndarray) -> np.ndarray:
    """1 on cheeks, skull and neck, 0 where nose, lips and lids need their detail."""
    x, y, z = points.T
    features = np.minimum(
        np.hypot(x / 30.0, (z - 62.0) / 38.0), np.hypot((np.abs(x) - EYE[0]) / 27.0, (z - EYE[2]) / 22.0)
    )
    return np.where(y > -40.0, 1.0, np.clip(features * 2.0 - 1.6, 0.0, 1.0))


NOSTRIL = (6.3, -98.5, 70.0)
NOSTRIL_LONG, NOSTRIL_SHORT = np.array((1.6, 3.7)), np.array((2.1, -0.9))
"""Centre and half axes (x, y) of the left nostril."""


def with_nostrils(mesh: Mesh, fixed: np.ndarray) -> tuple[Mesh, np.ndarray]:
    """The draped mesh with the middle of both nose bottoms drawn to a rim and pushed in."""
    places, held = mesh.vertices.copy(), fixed.copy()
    bottoms = []
    for side, face in ((1.0, 6), (-1.0, 6 + len(half_quads()))):
        bottom, rim = patch_middle(mesh, face)
        aim = np.array(NOSTRIL) * (side, 1.0, 1.0)
        away = places[rim] - places[bottom]
        turn = np.arctan2(away[:, 1] - 0.4 * away[:, 2], away[:, 0] * side)
        plan = np.cos(turn)[:, None] * NOSTRIL_SHORT + np.sin(turn)[:, None] * NOSTRIL_LONG
        places[rim] = aim + np.column_stack([side * plan[:, 0], plan[:, 1], np.zeros(len(rim))])
        places[rim] = drop(form.head, places[rim])
        places[bottom] = places[rim].mean(axis=0) + np.array((0.0, 0.6, 4.5))
        held[np.append(rim, bottom)] = True
        bottoms.append(bottom)
    return draped(Mesh(places, mesh.quads), form.head, held, rounds=10), np.array(bottoms)


def patch_middle(mesh: Mesh, face: int) -> tuple[int, np.ndarray]:
    """The middle vertex of what has become of a quad of the cage, and the eight around it in order."""
    coarse = cage()
    middle = len(coarse.vertices) + len(edges_of(coarse.quads)) + face
    around = mesh.quads[(mesh.quads == middle).any(axis=1)]
    ring = np.setdiff1d(around, [middle])
    away = mesh.vertices[ring] - mesh.vertices[middle]
    return middle, ring[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]


def symmetric(mesh: Mesh, mirror: np.ndarray) -> Mesh:
    """The mesh with both halves made exact mirror images."""
    return Mesh((mesh.vertices + mesh.vertices[mirror] * (-1.0, 1.0, 1.0)) / 2, mesh.quads)
