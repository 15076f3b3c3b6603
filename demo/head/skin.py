# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin: the cage draped over the form, with eyelids, lips and the bag of the mouth grown into its holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import eyelids, form, lips
from .cage import cage, corner
from .drape import draped
from .fields import drop
from .mesh import Mesh, border_edges, border_loop, mirror_map, subdivided
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
    mesh, left_rings = attached(mesh, left, eyelids.lid_rings(eyelids.opening()))
    mirrored_rings = eyelids.lid_rings(eyelids.opening())[:, ::-1] * (-1.0, 1.0, 1.0)
    mesh, right_rings = attached(mesh, mirror[left][::-1], mirrored_rings)
    mesh, lip_rings = attached(mesh, mouth, lips.lip_rings(mesh.vertices[mouth]))
    mesh = Mesh(mesh.vertices, np.concatenate([mesh.quads, zipped(lip_rings[-1])]))
    lids = np.stack([left_rings, right_rings[:, ::-1]])
    mirror = extended(mirror, len(mesh.vertices), lids, lip_rings)
    rim = np.unique(border_edges(mesh.quads))
    return Skin(symmetric(mesh, mirror), mirror, lip_rings, lids, rim)


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
    places[rim] = drop(form.head, places[rim])
    fixed = np.isin(np.arange(len(places)), np.concatenate([mouth, left, right, rim]))
    return draped(Mesh(places, base.quads), form.head, fixed)


def symmetric(mesh: Mesh, mirror: np.ndarray) -> Mesh:
    """The mesh with both halves made exact mirror images."""
    return Mesh((mesh.vertices + mesh.vertices[mirror] * (-1.0, 1.0, 1.0)) / 2, mesh.quads)
