# SPDX-License-Identifier: GPL-3.0-or-later
"""A head of blendshapes: control weights in, vertices out. Nothing of it is learnt or kept in a model file."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Blendshapes(nn.Module):
    """The neutral head plus weighted offsets (UniTalker, supplementary material, equation 3)."""

    neutral: Tensor
    offsets: Tensor

    def __init__(self, neutral: np.ndarray, offsets: np.ndarray) -> None:
        """`neutral` [V, 3] or [3 V] and `offsets` [weights, V, 3] or [weights, 3 V], in the model's unit.

        ValueError for shapes that do not fit each other.
        """
        super().__init__()
        head, rows = neutral.reshape(-1), offsets.reshape(len(offsets), -1)
        if len(head) % 3 or rows.shape[1] != len(head):
            raise ValueError(f"blendshapes of {rows.shape[1]} numbers do not fit a neutral head of {len(head)}")
        self.register_buffer("neutral", torch.tensor(head, dtype=torch.float32), persistent=False)
        self.register_buffer("offsets", torch.tensor(rows, dtype=torch.float32), persistent=False)

    def forward(self, weights: Tensor) -> Tensor:
        """Weights [..., n] to vertices [..., V, 3]."""
        return (weights @ self.offsets + self.neutral).unflatten(-1, (-1, 3))
