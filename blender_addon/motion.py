# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of a face: the backend's pieces joined, take by take. No bpy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..backend import protocol
from .errors import MouthpieceError
from .phones import Phone, received

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Motion:
    """What a model made of a stretch of sound."""

    names: tuple[str, ...]
    """Channel names, one per column; none where it moves a mesh."""
    values: np.ndarray
    """float32 [frames, channels], or [frames, V, 3] where it moves a mesh."""
    fps: float
    space: str
    metadata: Mapping[str, Any]
    """Model, identity, version and, of a take, its seed, as the backend tells them."""
    neutral: np.ndarray | None = None
    """float32 [V, 3]: where it moves a mesh, the face that nothing moves."""
    phones: tuple[Phone, ...] = ()
    """What is spoken when, where the backend has heard it."""

    @property
    def seed(self) -> int | None:
        """The number that this take's noise was drawn by; None where the model has but one answer."""
        return self.metadata.get("seed")


def join(
    chunks: Sequence[protocol.Frames],
    finished: protocol.Finished,
    neutral: protocol.Neutral | None = None,
    phones: Sequence[protocol.Phones] = (),
) -> tuple[Motion, ...]:
    """The takes of a finished job; raises `MouthpieceError` where their pieces do not make up the whole.

    `neutral` comes with the motion of a mesh.
    """
    spoken = tuple(phone for message in phones for phone in received(message))
    face = None if neutral is None else neutral.vertices
    shape = (len(finished.names),) if face is None else face.shape
    if not finished.metadata or any(not 0 <= chunk.take < len(finished.metadata) for chunk in chunks):
        raise MouthpieceError("The backend sent other takes than it says; generate again.")
    made: list[Motion] = []
    for take, metadata in enumerate(finished.metadata):
        values = _joined([chunk for chunk in chunks if chunk.take == take], finished, shape)
        made.append(Motion(finished.names, values, finished.fps, finished.space, _about(metadata), face, spoken))
    return tuple(made)


def _about(metadata: str) -> dict[str, Any]:
    """What is told of one take."""
    try:
        about = json.loads(metadata)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise MouthpieceError("The backend does not say how the motion was made; generate again.")
    return about


def _joined(chunks: Sequence[protocol.Frames], finished: protocol.Finished, shape: tuple[int, ...]) -> np.ndarray:
    """One take's frames in a row."""
    import numpy as np

    starts = np.cumsum([0, *(len(chunk.values) for chunk in chunks)])
    if any(chunk.start != start for chunk, start in zip(chunks, starts, strict=False)) or starts[-1] != finished.frames:
        raise MouthpieceError(f"The backend sent {starts[-1]} of {finished.frames} frames; generate again.")
    if not chunks or any(chunk.values.shape[1:] != shape for chunk in chunks):
        raise MouthpieceError(
            f"The backend's frames of “{finished.space}” have another size than it says; generate again."
        )
    values = np.concatenate([chunk.values for chunk in chunks])
    if not np.isfinite(values).all():
        raise MouthpieceError("The backend sent broken numbers; generate again.")
    return values
