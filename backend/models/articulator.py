# SPDX-License-Identifier: GPL-3.0-or-later
"""The articulator of DiffusionTalker: what a mouth does follows from what is heard, who speaks and in what mood.

Nothing about it is left to chance, so it is computed once for a sound, whatever the number of steps and takes.
Our choice; the papers say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from .denoiser import DenoiserBlock, DenoiserConfig


class Articulator(nn.Module):
    """Residual convolutions over time, each modulated by the person, as those of the denoiser."""

    def __init__(
        self, config: DenoiserConfig, audio_width: int, personal_width: int, numbers: Mapping[str, int]
    ) -> None:
        """`numbers`: by FaceSpace, how many of its numbers are decided."""
        super().__init__()
        width = config.width
        self.inward = nn.Linear(audio_width + personal_width, width)
        self.personal = nn.Linear(personal_width, width)
        self.blocks = nn.ModuleList(DenoiserBlock(config, dilation) for dilation in config.dilation_of_blocks)
        self.norm = nn.LayerNorm(width)
        self.outward = nn.ModuleDict({space: nn.Linear(width, count) for space, count in numbers.items()})
        self.heard = nn.ModuleDict({space: nn.Linear(audio_width, count) for space, count in numbers.items()})
        """Straight from what is heard to motion."""

    def forward(self, space: str, audio: Tensor, personal: Tensor, counts: Tensor | None = None) -> Tensor:
        """Audio [B, T, audio width] and personal [B, 1 or T, personal width] to [B, T, decided numbers of the space].

        Of padded rows the first `counts` int64 [B] are real.
        """
        hidden = self.inward(torch.cat((audio, personal.expand(-1, audio.shape[1], -1)), dim=2))
        modulation = functional.silu(self.personal(personal))
        for block in self.blocks:
            hidden = block(hidden, modulation, counts)
        return (self.outward[space](self.norm(hidden)) + self.heard[space](audio)).float()
