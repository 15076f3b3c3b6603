# SPDX-License-Identifier: GPL-3.0-or-later
"""What a whole clip is like, told to each of its frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import Dropout, is_real

_LOUDER = 0.1
"""Units of a spectrum by which a frame is e times as likely to be one of the loud ones."""
_NOTHING = -1.99
"""Units of a spectrum below which no band of a frame holds any sound."""
_FEW = 5.0
"""Frames that count as little: what so few say of a clip is believed by half."""


class Context(nn.Module):
    """Tells every frame of a clip what the whole of it is like: this voice, this microphone, this room.

    Squeeze and excitation (Hu et al. 2018) over time, as in ContextNet (Han et al. 2020); the loud and the quiet
    frames of the clip are squeezed apart. Changes nothing at first.
    """

    def __init__(self, heard: int, numbers: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.squeeze = nn.Linear(3 * heard, numbers)
        self.excite = nn.Linear(numbers, 2 * width)
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)

    def forward(self, features: Tensor, heard: Tensor, shares: Tensor) -> Tensor:
        """Features [B, t, width] of a clip that is heard as [B, t, heard]; `shares` from `shares_of`, [B, 2, t]."""
        heard = heard.float()
        means = shares @ heard
        spread = (shares[:, :1] @ heard.square() - means[:, :1].square()).clamp(min=1e-4).sqrt()
        squeezed = functional.gelu(self.squeeze(self.dropout(torch.cat((means, spread), dim=1).flatten(1))))
        scale, shift = self.excite(squeezed)[:, None].chunk(2, dim=-1)
        return torch.addcmul(shift, features, 1 + scale)


def loud_and_quiet(spectrum: Tensor, mels: Tensor | None) -> Tensor:
    """How much each frame of a spectrum [B, bands, t] is louder, and softer, than the clip: [B, t, 2], 0 to 1.

    Both are 0 where nothing at all is heard, as between sounds that somebody put together, and behind the first `mels`
    int64 [B] frames: of a voice in its room they tell nothing.
    """
    loudness = spectrum.amax(dim=1)
    heard = (loudness > _NOTHING).float()
    if mels is not None:
        heard = heard * is_real(mels, loudness.shape[1])
    middle = (loudness * heard).sum(dim=1) / heard.sum(dim=1).clamp(min=1)
    loud = torch.sigmoid((loudness - middle[:, None]) / _LOUDER)
    return torch.stack((loud * heard, (1 - loud) * heard), dim=2)


def shares_of(parts: Tensor) -> Tensor:
    """What each frame adds to a mean over the loud frames, and over the quiet ones: [B, 2, t], of parts [B, t, 2]."""
    return (parts / (parts.sum(dim=1, keepdim=True) + _FEW)).transpose(1, 2).contiguous()
