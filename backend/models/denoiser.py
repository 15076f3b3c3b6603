# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion decoder of DiffusionTalker: noisy motion, audio, person and step in, a hidden state per frame out.

The papers show which of these meet where and not what the decoder is made of. Convolutions are our choice: a frame
sees a known number of frames to both sides, so that any stretch of a long sound can be denoised by itself with exactly
the result of the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import only_real


@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes of a Denoiser."""

    width: int = 96
    blocks: int = 5
    kernel: int = 7
    dilations: tuple[int, ...] = (1, 2, 4, 8, 2)
    """Dilation of each block's convolution, repeated as often as there are blocks."""
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= self.width <= 8192 or self.width % 2 or not 1 <= self.blocks <= 64:
            raise ValueError("a denoiser has an even width of 2 to 8192 and 1 to 64 blocks")
        if not 1 <= self.kernel <= 255 or self.kernel % 2 == 0 or not 0 <= self.dropout < 1:
            raise ValueError("a denoiser has an odd kernel of at most 255 and drops a part")
        if not self.dilations or not all(1 <= dilation <= 64 for dilation in self.dilations):
            raise ValueError("the dilations of a denoiser are whole numbers from 1 to 64")

    @property
    def dilation_of_blocks(self) -> tuple[int, ...]:
        """Of each block in turn."""
        return tuple(self.dilations[block % len(self.dilations)] for block in range(self.blocks))

    @property
    def reach(self) -> int:
        """Frames that one pass sees to either side."""
        return self.kernel // 2 * sum(self.dilation_of_blocks)


class Denoiser(nn.Module):
    """Residual convolutions over time, each modulated by the step and the person."""

    def __init__(self, config: DenoiserConfig, audio_width: int, personal_width: int) -> None:
        super().__init__()
        width = config.width
        self.step = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.personal = nn.Linear(personal_width, width)
        self.inward = nn.Linear(width + audio_width + personal_width, width)
        self.blocks = nn.ModuleList(DenoiserBlock(config, dilation) for dilation in config.dilation_of_blocks)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, motion: Tensor, audio: Tensor, personal: Tensor, time: Tensor, counts: Tensor | None = None
    ) -> Tensor:
        """Motion [B, T, width], audio [B, T, audio width], personal [B, 1 or T, personal width] to [B, T, width].

        `time` float32 [B], 0 (clean) to 1; of padded rows the first `counts` int64 [B] are real.
        """
        condition = torch.cat((audio, personal.expand(-1, audio.shape[1], -1)), dim=2)
        hidden = self.inward(torch.cat((motion, condition), dim=2))
        modulation = functional.silu(self.step(waves(time, hidden.shape[2]))[:, None] + self.personal(personal))
        for block in self.blocks:
            hidden = block(hidden, modulation, counts)
        return self.norm(hidden)


class DenoiserBlock(nn.Module):
    """A convolution per channel and a wider layer at every frame (ConvNeXt), scaled and shifted by the modulation.

    Modulation and gate begin at zero, so that a fresh block changes nothing (Peebles and Xie 2023, adaLN-Zero).
    """

    def __init__(self, config: DenoiserConfig, dilation: int) -> None:
        super().__init__()
        width, padding = config.width, config.kernel // 2 * dilation
        self.along_time = nn.Conv1d(width, width, config.kernel, padding=padding, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 3 * width)
        self.widen = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, hidden: Tensor, modulation: Tensor, counts: Tensor | None = None) -> Tensor:
        scale, shift, gate = self.modulation(modulation).chunk(3, dim=2)
        mixed = self.norm(_along_time(self.along_time, only_real(hidden, counts)))
        widened = functional.gelu(self.widen(torch.addcmul(shift, mixed, 1 + scale)))
        return torch.addcmul(hidden, gate, self.dropout(self.narrow(widened)))


def _along_time(convolution: nn.Conv1d, hidden: Tensor) -> Tensor:
    """A convolution per channel over [B, T, width] as it lies in memory: of a picture one pixel high, channels last.

    The same numbers as those of the layer itself, which would turn its input and output around, in 0.4 of its time.
    """
    picture = functional.conv2d(
        hidden.transpose(1, 2)[:, :, None],
        convolution.weight[:, :, None],
        convolution.bias,
        padding=(0, int(convolution.padding[0])),
        dilation=(1, convolution.dilation[0]),
        groups=convolution.groups,
    )
    return picture[:, :, 0].transpose(1, 2)


def waves(time: Tensor, width: int) -> Tensor:
    """Times float32 [B], 0 to 1, as sines and cosines [B, width] of a thousandth of their length to ten times it."""
    frequencies = torch.exp(torch.linspace(math.log(0.1), math.log(1000), width // 2, device=time.device))
    angles = time[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=1)
