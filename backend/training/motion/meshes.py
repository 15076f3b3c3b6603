# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes behind control weights and FLAME parameters: the user's own files, for losses and metrics on vertices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from backend import npz
from backend.face import FaceSpace
from backend.foreign import flame_file
from backend.foreign.flame_file import FlameFileError
from backend.models.blendshapes import Blendshapes
from backend.models.flame import Flame
from backend.training.errors import ConfigError, CorpusError

from . import regions

KEYS = ("meanshape", "blendshape")
"""Arrays of UniTalker's blendshape files: the neutral head [V, 3] and the offsets [weights, V, 3]."""
FLAME_FACE = ("face",)
"""Key of FLAME_masks.pkl."""


@dataclass(frozen=True)
class MeshFiles:
    """Files by FaceSpace."""

    meshes: Mapping[str, Path] = field(default_factory=dict)
    """A FLAME file for FLAME parameters, an .npz of `KEYS` for control weights."""
    faces: Mapping[str, Path] = field(default_factory=dict)
    """Region files (`regions.read`) of the vertices that losses look at."""

    def on(self, spaces: Mapping[str, FaceSpace], device: str = "cpu") -> dict[str, FaceSpace]:
        """The same spaces with their meshes. ConfigError for a file of a space that is not there, CorpusError."""
        for name in (*self.meshes, *self.faces):
            if name not in spaces:
                raise ConfigError(f"There is a mesh or face for {name}, but the data is of {', '.join(spaces)}.")
        return {name: self._on(space, device) for name, space in spaces.items()}

    def _on(self, space: FaceSpace, device: str) -> FaceSpace:
        if (path := self.meshes.get(space.name)) is not None:
            space = with_mesh(space, path, device)
        if (face := self.faces.get(space.name)) is not None:
            found = regions.read(face, FLAME_FACE)
            regions.with_regions(space, found, None)  # refuses vertices that are not there
            space = replace(space, face=found)
        return space


def with_mesh(space: FaceSpace, path: Path, device: str = "cpu") -> FaceSpace:
    """The space with the mesh in a file. Its regions, which were those of controls, are left out. CorpusError."""
    if space.kind == "vertices":
        raise CorpusError(f"{space.name} are vertices already; leave out the mesh {path}.")
    try:
        if space.kind == "flame":
            mesh = Flame(flame_file.read(path)).to(device).vertices_from_413
        else:
            mesh = _blendshapes(path).to(device)
        mesh(torch.zeros(space.dim, device=device))
    except FlameFileError as error:
        raise CorpusError(str(error)) from error
    except (ValueError, RuntimeError) as error:
        raise CorpusError(f"{path} is no mesh for the {space.dim} numbers of {space.name}.") from error
    return replace(space, mesh=mesh, lips=None, upper_face=None)


def _blendshapes(path: Path) -> Blendshapes:
    try:
        file = npz.read(path, flame_file.MOST_BYTES, KEYS)
        return Blendshapes(*(np.asarray(file[key], np.float32) for key in KEYS))
    except (OSError, KeyError, TypeError, npz.NpzError) as error:
        raise CorpusError(f"{path} is missing or no .npz of {' and '.join(KEYS)}.") from error
