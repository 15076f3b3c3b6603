# SPDX-License-Identifier: GPL-3.0-or-later
"""The small encoder of the default model: a log-mel spectrogram and a few convolutions, trained from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW = 400
HOP = 160
TRANSFORM = 512


@dataclass(frozen=True)
class MelEncoderConfig:
    """Sizes of a MelEncoder."""

    kind: Literal["mel"] = "mel"
    width: int = 128
    blocks: int = 5
    bands: int = 80
    kernel: int = 9

    def __post_init__(self) -> None:
        if min(self.width, self.blocks, self.bands, self.kernel) < 1 or max(self.width, self.bands) > 8192:
            raise ValueError("the sizes of a mel encoder are whole numbers from 1 to 8192")
        if self.blocks > 64 or self.kernel > 255 or self.kernel % 2 == 0:
            raise ValueError("a mel encoder has at most 64 blocks and an odd kernel of at most 255")


class MelEncoder(nn.Module):
    """Audio to features at 50 Hz."""

    def __init__(self, config: MelEncoderConfig) -> None:
        super().__init__()
        self.width = config.width
        self.register_buffer("window", torch.hann_window(WINDOW))
        self.register_buffer("filters", mel_filters(config.bands))
        self.stem = nn.Conv1d(config.bands, config.width, kernel_size=5, stride=2, padding=2)
        self.blocks = nn.Sequential(*(Block(config.width, config.kernel) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, audio: Tensor) -> Tensor:
        """Audio float32 [B, n] at 16 kHz to features [B, ~n/320, width]."""
        return self.norm(self.blocks(self.stem(self.log_mel(audio)).transpose(1, 2)))

    def log_mel(self, audio: Tensor) -> Tensor:
        """Natural logarithm of mel band energies at 100 Hz, [B, bands, ~n/160]."""
        window = self.get_buffer("window")
        spectrum = torch.stft(
            audio, TRANSFORM, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True
        )
        energy = self.get_buffer("filters") @ spectrum.abs().square()
        return torch.log(energy + 1e-6)


class Block(nn.Module):
    """A residual block over [B, t, width]: a convolution per channel, then a wider layer at every frame."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.along_time = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)

    def forward(self, features: Tensor) -> Tensor:
        mixed = self.norm(self.along_time(features.transpose(1, 2)).transpose(1, 2))
        return features + self.narrow(functional.gelu(self.widen(mixed)))


def mel_filters(bands: int) -> Tensor:
    """float32 [bands, bins]: triangles, evenly spaced on the mel scale from 50 Hz to 8 kHz."""
    low, high = (2595 * torch.log10(torch.tensor(1 + hertz / 700)) for hertz in (50.0, 8000.0))
    corners = 700 * (10 ** (torch.linspace(float(low), float(high), bands + 2) / 2595) - 1)
    bins = torch.linspace(0, 8000, TRANSFORM // 2 + 1)
    rising = (bins - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins) / (corners[2:] - corners[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0)
