# SPDX-License-Identifier: GPL-3.0-or-later
"""Mel filter banks, for vocal tracts of several lengths."""

from __future__ import annotations

import torch
from torch import Tensor

RATE = 16000
TRANSFORM = 512
"""Samples of a Fourier transform, whose bins the filters weigh."""
WARPS = 15
"""Vocal tract lengths to choose from in training; the one in the middle is the speaker's own."""


def warped_filters(bands: int, warp: float) -> Tensor:
    """float32 [WARPS, bands, bins]: `mel_filters` for vocal tracts from shorter to longer, the true one in the middle.

    Frequencies are scaled by 1 - warp to 1 + warp (vocal tract length perturbation, Jaitly and Hinton 2013).
    """
    return torch.stack([mel_filters(bands, float(factor)) for factor in torch.linspace(1 - warp, 1 + warp, WARPS)])


def mel_filters(bands: int, stretch: float = 1.0) -> Tensor:
    """float32 [bands, bins]: triangles, evenly spaced on the mel scale from 50 Hz to 7.6 kHz, times `stretch`."""
    low, high = (2595 * torch.log10(torch.tensor(1 + hertz / 700)) for hertz in (50.0, 7600.0))
    corners = 700 * (10 ** (torch.linspace(float(low), float(high), bands + 2) / 2595) - 1)
    corners = (corners * stretch).clamp(max=RATE / 2)
    bins = torch.linspace(0, RATE / 2, TRANSFORM // 2 + 1)
    widths = (corners[1:] - corners[:-1]).clamp(min=1e-3)
    rising = (bins - corners[:-2, None]) / widths[:-1, None]
    falling = (corners[2:, None] - bins) / widths[1:, None]
    return torch.minimum(rising, falling).clamp(min=0)
