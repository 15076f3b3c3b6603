# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a model's vertices onto a character's mesh of the same topology, whatever its unit and axes. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInput

if TYPE_CHECKING:
    import numpy as np

LARGEST_MISFIT = 0.3
"""Root mean square distance after the fit as a share of the face's own spread. Two people's heads stay well below it; a
mesh with its vertices in another order is near 1."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How a model's space lies on a character's mesh: turn, then scale."""

    rotation: np.ndarray
    """float64 [3, 3]."""
    scale: float
    misfit: float
    """Root mean square distance as a share of the spread of the mesh."""

    def moves(self, frames: np.ndarray, neutral: np.ndarray) -> np.ndarray:
        """How far every vertex goes from its place at rest: float32 [frames, V, 3] in the mesh's own unit and axes."""
        import numpy as np

        turn = (self.scale * self.rotation).astype(np.float32)
        return (frames - neutral.astype(np.float32)) @ turn.T


def fit(neutral: np.ndarray, rest: np.ndarray) -> Fit:
    """Lay the model's neutral face on the mesh at rest (both [V, 3]) by a similarity transform (Umeyama 1991).

    Only turn and scale are kept: the mesh stays where it is, and motion is added to it. Raises `BadInput` where the
    mesh has another number of vertices, has no size, or has its vertices in another order.
    """
    import numpy as np

    if len(neutral) != len(rest):
        raise BadInput(
            f"The model moves a mesh of {len(neutral)} vertices, and this one has {len(rest)}. Choose a character with "
            "the topology that the model was trained on, without modifiers applied or vertices merged."
        )
    source, target = (np.asarray(points, np.float64) - points.mean(axis=0) for points in (neutral, rest))
    spread = float((target**2).sum())
    if spread == 0 or float((source**2).sum()) == 0:
        raise BadInput("All vertices of the mesh lie in one point; choose a character with a face.")
    left, stretch, right = np.linalg.svd(target.T @ source)
    mirror = np.array((1.0, 1.0, np.sign(np.linalg.det(left @ right))))
    rotation = left @ (mirror[:, None] * right)
    scale = float((stretch * mirror).sum() / (source**2).sum())
    misfit = float(np.sqrt(((target - scale * source @ rotation.T) ** 2).sum() / spread))
    if misfit > LARGEST_MISFIT:
        raise BadInput(
            "The mesh has as many vertices as the model's, but they are not the same points: "
            f"they miss each other by {misfit:.0%} of the face's size. Import it again with “keep vertex order”."
        )
    return Fit(rotation, scale, misfit)
