# SPDX-License-Identifier: GPL-3.0-or-later
"""PC2 files: the places of all vertices frame by frame, as Blender's Mesh Cache modifier reads them. No bpy.

Layout: ``POINTCACHE2\\0``, int32 version (1), int32 vertices, float32 first frame, float32 frames per sample, int32
samples; then float32 x, y, z of every vertex of every sample. All little-endian.
"""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput, MouthpieceError

if TYPE_CHECKING:
    import numpy as np

_HEADER = struct.Struct("<12siiffi")
_MAGIC = b"POINTCACHE2\0"


def write(path: Path, places: np.ndarray) -> None:
    """Write places float32 [frames, V, 3] as one file, which appears only when it is whole.

    Raises `MouthpieceError` where the folder cannot be written or the disk is full; a file that was there stays.
    """
    frames, vertices, _ = places.shape
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".unfinished")
    except OSError as problem:
        raise _unwritten(path, problem) from problem
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_HEADER.pack(_MAGIC, 1, vertices, 0.0, 1.0, frames))
            file.write(places.astype("<f4", order="C", copy=False).data)
        Path(unfinished).replace(path)
    except OSError as problem:
        Path(unfinished).unlink(missing_ok=True)
        raise _unwritten(path, problem) from problem


def read(path: Path) -> np.ndarray:
    """Places float32 [frames, V, 3] of a file; raises `BadInput` where it is no whole PC2 file."""
    import numpy as np

    data = path.read_bytes()
    if len(data) < _HEADER.size or data[: len(_MAGIC)] != _MAGIC:
        raise BadInput(f"“{path.name}” is no PC2 file; generate again.")
    _, _, vertices, _, _, frames = _HEADER.unpack_from(data)
    if min(frames, vertices) < 0 or len(data) != _HEADER.size + frames * vertices * 12:
        raise BadInput(f"“{path.name}” is cut off; generate again.")
    return np.frombuffer(data, "<f4", offset=_HEADER.size).reshape(frames, vertices, 3)


def _unwritten(path: Path, problem: OSError) -> MouthpieceError:
    return MouthpieceError(
        f"The cache “{path.name}” cannot be written into {path.parent} ({problem.strerror}). Choose another folder."
    )
