# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses of diffusion: pure functions that give one number each; the config weighs them by name."""

from __future__ import annotations

import torch
from backend.models.layers import is_real
from torch import Tensor
from torch.nn import functional


def contrast(one: Tensor, other: Tensor, labels: Tensor, temperature: Tensor) -> Tensor:
    """Symmetric InfoNCE of embeddings [B, W] and [B, W] of the same clips (Radford et al. 2021, figure 3).

    Each embedding has to find its partner among the others' partners by cosine. Clips with the same label int64 [B]
    are no wrong answers and are left out of each other's choices.
    """
    similarity = functional.normalize(one, dim=1) @ functional.normalize(other, dim=1).T / temperature
    own = torch.arange(len(labels), device=labels.device)
    same = (labels[:, None] == labels) & (own[:, None] != own)
    choices = similarity.masked_fill(same, -torch.inf)
    return (functional.cross_entropy(choices, own) + functional.cross_entropy(choices.T, own)) / 2


def motion(x: Tensor, target: Tensor, frames: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean over clips of the mean squared error of [B, T, C] in the first `frames` int64 [B] of each.

    `weight` [B, 1, 1] multiplies what a clip costs.
    """
    each = (x - target).square()
    each = each.mean(dim=2) if weight is None else (each * weight).mean(dim=2)
    return (each.where(is_real(frames, each.shape[1]), 0).sum(dim=1) / frames.clamp(min=1)).mean()


def tremble(x: Tensor, target: Tensor, frames: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean length of the error of the change from frame to frame, of [B, T, C], as `motion` means.

    A squared error hardly minds that a face trembles where it should rest; a length minds.
    """
    each = (x.diff(dim=1) - target.diff(dim=1)).abs()
    each = each.mean(dim=2) if weight is None else (each * weight).mean(dim=2)
    counts = frames - 1
    return (each.where(is_real(counts, each.shape[1]), 0).sum(dim=1) / counts.clamp(min=1)).mean()


def velocity(x: Tensor, target: Tensor, frames: Tensor, weight: Tensor | None = None) -> Tensor:
    """The same for the change from frame to frame."""
    return motion(x.diff(dim=1), target.diff(dim=1), frames - 1, weight)
