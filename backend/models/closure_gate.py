# SPDX-License-Identifier: GPL-3.0-or-later
"""A closure gate behind a head of ARKit weights: one number per frame says how far the lips are shut.

A regression that does not know whether a p comes gives the mean of a shut and an open mouth, which is a slit. The gate
decides that apart from all other motion, and where it is sure nothing is left between the lips.
"""

from __future__ import annotations

import torch
from backend.face import ARKIT_CHANNELS
from torch import Tensor, nn

_PARTING = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthFunnel")
"""Channels that part the lips: nothing of them is left where the lips are shut."""
_PRESSING = {"mouthPressLeft": 0.30, "mouthPressRight": 0.30, "mouthRollLower": 0.15, "mouthRollUpper": 0.10}
"""What shut lips press at least; these and the above as in `backend/closures.py`."""
_JAW, _CLOSE = ARKIT_CHANNELS.index("jawOpen"), ARKIT_CHANNELS.index("mouthClose")
_AT_FIRST = -3.0
"""Logit of a fresh gate: all but open, so that a model which gets one goes on from where it was."""


class ClosureGate(nn.Module):
    """Shuts the lips of ARKit weights by what it reads in the frames behind them."""

    def __init__(self, width: int) -> None:
        """`width` of the hidden frames that the gate reads."""
        super().__init__()
        self.reading = nn.Linear(width, 1)
        nn.init.zeros_(self.reading.weight)
        nn.init.constant_(self.reading.bias, _AT_FIRST)

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden [B, frames, width] to [B, frames]: above 0 where the lips are rather shut than open."""
        return self.reading(hidden)[..., 0]

    def forward(self, hidden: Tensor, values: Tensor) -> Tensor:
        """Hidden [B, frames, width] and ARKit weights [B, frames, 52] to weights shut as far as the gate is."""
        shut = self.logits(hidden).sigmoid().unsqueeze(-1)
        gap = (values[..., _JAW] - values[..., _CLOSE]).relu().unsqueeze(-1)
        closing, parting, pressing = (row.to(values) for row in _ROWS)
        unpressed = (pressing * shut - values).relu() * (pressing > 0)
        return values + shut * (closing * gap - parting * values) + unpressed


def _row(weights: dict[str, float]) -> Tensor:
    return torch.tensor([weights.get(name, 0.0) for name in ARKIT_CHANNELS])


_ROWS = (_row({"mouthClose": 1.0}), _row(dict.fromkeys(_PARTING, 1.0)), _row(_PRESSING))
