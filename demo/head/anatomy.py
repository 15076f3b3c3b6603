# SPDX-License-Identifier: GPL-3.0-or-later
"""The neutral head: every part in one mesh, with its material and its place in the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import brows, ears, eyelids, eyes, lashes, lips, teeth, tongue
from .mesh import Mesh, joined, mirror_copy
from .skin import Skin, skin

MATERIALS = (
    "Skin",
    "Mouth",
    "Eye White",
    "Iris",
    "Pupil",
    "Teeth",
    "Gums",
    "Tongue",
    "Brows",
    "Cornea",
    "Lashes",
    "Lips",
    "Wet Rim",
)

PAIRED = ("eye", "cornea", "ear", "brow", "lashes")
"""Parts that there are two of, a left and a right."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The neutral head in millimetres."""

    mesh: Mesh
    material: np.ndarray
    """int64 [F]: index into MATERIALS."""
    mirror: np.ndarray
    """int64 [V]: the vertex on the other side."""
    parts: dict[str, np.ndarray]
    """Vertex numbers of each part."""
    skin: Skin


def anatomy() -> Anatomy:
    """Builds every part and joins them; left before right."""
    face = skin()
    eye, clear, ear, brow = eyes.eyeball(), eyes.cornea(), ears.ear(), brows.brow()
    pieces: dict[str, tuple[Mesh, np.ndarray]] = {"skin": (face.mesh, skin_materials(face))}
    for name, mesh, material in (
        ("eye", eye, eye_materials()),
        ("cornea", clear, filled(clear, "Cornea")),
        ("ear", ear, filled(ear, "Skin")),
        ("brow", brow, filled(brow, "Brows")),
    ):
        pieces[f"{name} left"] = (mesh, material)
        pieces[f"{name} right"] = (mirror_copy(mesh), material)
    for name, arch in (("upper", teeth.UPPER), ("lower", teeth.LOWER)):
        row, gum = teeth.row(arch), teeth.gum(arch)
        pieces[f"{name} teeth"] = (row, filled(row, "Teeth"))
        pieces[f"{name} gum"] = (gum, filled(gum, "Gums"))
    muscle = tongue.tongue()
    pieces["tongue"] = (muscle, filled(muscle, "Tongue"))
    lash = lashes.lash()
    pieces["lashes left"] = (lash, filled(lash, "Lashes"))
    pieces["lashes right"] = (mirror_copy(lash), filled(lash, "Lashes"))
    return assembled(face, pieces)


def assembled(face: Skin, pieces: dict[str, tuple[Mesh, np.ndarray]]) -> Anatomy:
    """Joins the pieces and works out the mirror map of the whole."""
    mesh = joined([piece for piece, _ in pieces.values()])
    starts = np.cumsum([0] + [len(piece.vertices) for piece, _ in pieces.values()])
    parts = {name: np.arange(starts[i], starts[i + 1]) for i, name in enumerate(pieces)}
    mirror = np.arange(len(mesh.vertices))
    mirror[parts["skin"]] = face.mirror
    for name in PAIRED:
        mirror[parts[f"{name} left"]] = parts[f"{name} right"]
        mirror[parts[f"{name} right"]] = parts[f"{name} left"]
    for name, paired in symmetric_maps().items():
        mirror[parts[name]] = parts[name][paired]
    material = np.concatenate([slots for _, slots in pieces.values()])
    vertices = (mesh.vertices + mesh.vertices[mirror] * (-1.0, 1.0, 1.0)) / 2
    return Anatomy(Mesh(vertices, mesh.quads), material, mirror, parts, face)


def symmetric_maps() -> dict[str, np.ndarray]:
    """Mirror maps of the parts that cross the middle."""
    maps = {}
    for name, arch in (("upper", teeth.UPPER), ("lower", teeth.LOWER)):
        count = len(teeth.row(arch).vertices)
        maps[f"{name} teeth"] = np.roll(np.arange(count), count // 2)
        section = len(teeth.GUM_SECTION)
        maps[f"{name} gum"] = np.arange(len(teeth.gum(arch).vertices)).reshape(-1, section)[::-1].ravel()
    sections = np.arange(len(tongue.SPINE) * tongue.SIDES).reshape(-1, tongue.SIDES)
    maps["tongue"] = np.roll(sections[:, ::-1], 1, axis=1).ravel()
    return maps


def filled(mesh: Mesh, name: str) -> np.ndarray:
    """One material for all faces of a mesh."""
    return np.full(len(mesh.quads), MATERIALS.index(name))


def eye_materials() -> np.ndarray:
    """Pupil, iris and white by the ring of each face."""
    ring = eyes.face_rings()
    names = np.array([MATERIALS.index("Pupil"), MATERIALS.index("Iris"), MATERIALS.index("Eye White")])
    return names[np.select([ring <= eyes.PUPIL_RINGS, ring <= eyes.IRIS_RINGS], [0, 1], 2)]


def skin_materials(face: Skin) -> np.ndarray:
    """The moist red of the lips, the bag of the mouth behind it and the wet rims of the lids are no plain skin."""
    names = np.full(len(face.mesh.quads), MATERIALS.index("Skin"))
    for name, rings in (
        ("Lips", face.lips[lips.Ring.ROLL :]),
        ("Mouth", face.lips[lips.Ring.BACK :]),
        ("Wet Rim", face.lids[:, eyelids.Ring.EDGE :]),
    ):
        names[np.isin(face.mesh.quads, rings).all(axis=1)] = MATERIALS.index(name)
    return names
