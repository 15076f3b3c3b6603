# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of a face: the backend's pieces joined. No bpy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..backend import protocol
from .errors import MouthpieceError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Motion:
    """What a model made of a stretch of sound."""

    names: tuple[str, ...]
    """Channel names, one per column."""
    values: np.ndarray
    """float32 [frames, channels]."""
    fps: float
    space: str
    metadata: Mapping[str, Any]
    """Model, identity and version, as the backend tells them."""


def join(chunks: Sequence[protocol.Frames], finished: protocol.Finished) -> Motion:
    """Put the pieces of a finished job in a row; raises `MouthpieceError` where they do not make up the whole."""
    import numpy as np

    starts = np.cumsum([0, *(len(chunk.values) for chunk in chunks)])
    if any(chunk.start != start for chunk, start in zip(chunks, starts, strict=False)) or starts[-1] != finished.frames:
        raise MouthpieceError(f"The backend sent {starts[-1]} of {finished.frames} frames; generate again.")
    if not chunks or chunks[0].values.ndim != 2 or chunks[0].values.shape[1] != len(finished.names):
        raise MouthpieceError(f"The space “{finished.space}” has no channels for shape keys; choose another one.")
    values = np.concatenate([chunk.values for chunk in chunks])
    return Motion(finished.names, values, finished.fps, finished.space, json.loads(finished.metadata))
