# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses of annotated motion in any FaceSpace: pure functions that give numbers by name; the config weighs them.

UniTalker, section 3.4 and supplementary material: squared errors of vertices, of blendshape weights beside them, and
of PCA coefficients. Every clip of a batch counts the same, so a batch costs the mean of what its clips cost alone.
"""

from __future__ import annotations

import torch
from backend.face import FaceSpace
from torch import Tensor

PAPER_WEIGHTS = {"motion": 1.0, "weights": 1e-4, "coefficients": 0.01}
"""What UniTalker multiplies each loss by."""


def motion_losses(space: FaceSpace, values: Tensor, target: Tensor, frames: Tensor) -> dict[str, Tensor]:
    """Losses of values [B, T, dim] against the annotation [B, T, dim], of which `frames` int64 [B] are real.

    `motion`: of the decoded points in the space's face; `weights`: of control weights whose mesh is known.
    """
    losses = {"motion": squared_error(face_points(space, values), face_points(space, target), frames)}
    if space.kind == "controls" and space.mesh is not None:
        losses["weights"] = squared_error(values, target, frames)
    return losses


def face_points(space: FaceSpace, values: Tensor) -> Tensor:
    """Points [..., P, 3 or 1] of the space's face, of values [..., dim]."""
    points = space.decode(values)
    return points if space.face is None else points[..., torch.from_numpy(space.face).to(values.device), :]


def squared_error(values: Tensor, target: Tensor, frames: Tensor) -> Tensor:
    """Mean over clips of the mean squared error of [B, T, ...] within the first `frames` int64 [B] of each."""
    each = (values - target).square().flatten(2).mean(dim=2)
    is_real = torch.arange(each.shape[1], device=each.device) < frames[:, None]
    return (each.where(is_real, 0).sum(dim=1) / frames).mean()
