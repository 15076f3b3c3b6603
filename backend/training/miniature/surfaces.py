# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that losses and metrics need of the miniature: meshes behind weights and parameters, regions of all faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from backend.training.motion.evaluate import Options
from backend.training.motion.meshes import KEYS, MeshFiles

from . import conventions
from .conventions import FlameLike
from .mask import of_rings, of_rows
from .sets import FLAME, GRID, RINGS, SETS


def write(folder: Path) -> Options:
    """Writes them below a folder, and gives them by FaceSpace."""
    coarse = conventions.parameter_mesh()
    masks = {about.space: coarse for about in SETS} | {GRID.space: of_rows(), RINGS.space: of_rings()}
    lips = {space: _region(folder, f"{space}-lips", mask.lips) for space, mask in masks.items()}
    upper = {space: _region(folder, f"{space}-upper-face", mask.upper_face) for space, mask in masks.items()}
    offsets = {
        "3DETF_blendshape_weight": conventions.etf_mesh(coarse),
        "arkit": conventions.arkit_mesh(coarse),
        "rig": conventions.slider_mesh(coarse),
    }
    meshes = {
        space: _mesh(folder, space, dict[str, np.ndarray](zip(KEYS, (coarse.points, moved), strict=True)))
        for space, moved in offsets.items()
    }
    meshes[FLAME.space] = _mesh(folder, FLAME.space, FlameLike(coarse).arrays())
    return Options(meshes=MeshFiles(meshes), lips=lips, upper_face=upper)


def _region(folder: Path, name: str, indices: np.ndarray) -> Path:
    path = folder / "regions" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        path.write_text(", ".join(map(str, indices.tolist())), encoding="utf-8")
    return path


def _mesh(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> Path:
    path = folder / "meshes" / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    return path
