# SPDX-License-Identifier: GPL-3.0-or-later
"""What is above the noise of a room: a second picture of a sound, beside its spectrum."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .layers import is_real

_REACH = 3
"""Frames on both sides over which a floor is smoothed."""


def above_floor(spectrum: Tensor, decibels: float, mels: Tensor | None = None) -> Tensor:
    """How far each band of a spectrum [B, bands, t] is above what it never falls below, in the same units and shape.

    A unit has so many `decibels`. That floor, the quietest tenth of a clip whose frames are smoothed, is taken off
    first (spectral subtraction, Boll 1979), so that even noise is at the bottom everywhere and a voice stands out by
    what is its own. Of padded clips the first `mels` int64 [B] frames are real; the others are 0.
    """
    power, length = torch.exp(spectrum * (math.log(10) * decibels / 10)), spectrum.shape[2]
    counts = torch.full((1,), length, device=spectrum.device) if mels is None else mels
    real = is_real(counts, length)[:, None]
    smooth = _sum_around(power.where(real, 0)) / _sum_around(real.to(power)).clamp(min=1)
    rising = smooth.where(real, torch.inf).topk(max(length // 10, 1), dim=2, largest=False).values
    quiet = ((counts // 10).clamp(min=1) - 1)[:, None, None].expand(len(rising), rising.shape[1], 1)
    return (_over(power, rising.gather(2, quiet)) / decibels).where(real, 0)


def _sum_around(power: Tensor) -> Tensor:
    """[B, bands, t]: over the frames up to `_REACH` away, of which there are fewer at the ends of a clip."""
    padded, length = functional.pad(power, (_REACH, _REACH)), power.shape[2]
    return torch.stack([padded[..., first : first + length] for first in range(2 * _REACH + 1)]).sum(dim=0)


def _over(power: Tensor, floor: Tensor) -> Tensor:
    """dB of what is left of a power over 1.1 times its floor; at most 45 above it, and 10 below."""
    left = (power / (1.1 * floor) - 1).clamp(min=0.1, max=10**4.5)
    return 10 * torch.log10(left)
