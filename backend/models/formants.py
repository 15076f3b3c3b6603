# SPDX-License-Identifier: GPL-3.0-or-later
"""Convolutions over the bands of a spectrum as well as over time, so that a vowel is one vowel in every voice."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import Dropout, is_real


class Formants(nn.Module):
    """Spectra at 100 Hz to features at 50 Hz.

    Long and short vocal tracts move the same formants up and down. Filters that slide along the frequency axis know
    them wherever they lie (Abdel-Hamid et al. 2014, "Convolutional neural networks for speech recognition").
    """

    def __init__(self, bands: int, channels: int, width: int, dropout: float, spectra: int = 1) -> None:
        """`spectra`: how many pictures of the same sound lie over each other."""
        super().__init__()
        wide = 2 * channels
        self.edges = nn.Conv2d(spectra, channels, kernel_size=(3, 5), stride=(1, 2), padding=(1, 2))
        self.patterns = nn.Conv2d(channels, wide, kernel_size=(5, 3), stride=(2, 2), padding=(2, 1))
        self.again = nn.ModuleList(nn.Conv2d(wide, wide, kernel_size=3, padding=1) for _ in range(2))
        self.spared = nn.Dropout2d(dropout / 2)
        self.norm = nn.LayerNorm(wide * ((bands + 3) // 4))
        self.dropout = Dropout(dropout)
        self.narrow = nn.Linear(wide * ((bands + 3) // 4), width)

    def multiply_in(self, kind: torch.dtype) -> None:
        """From now on all products but the first filters' are of this type; of no use for training.

        A spectrum has to be taken as it is: rounded to bfloat16 it costs more exactness than all else together.
        """
        for layer in (self.patterns, *self.again, self.narrow):
            layer.to(kind)

    def forward(self, spectrum: Tensor, mels: Tensor | None = None, counts: Tensor | None = None) -> Tensor:
        """Spectrum [B, spectra, bands, t] to [B, ~t/2, width].

        Of padded clips the first `mels` int64 [B] frames are real, and the first `counts` int64 [B] of what is given.
        """
        heard = _real(functional.gelu(self.edges(spectrum.transpose(2, 3))), mels)
        heard = heard.to(self.patterns.weight.dtype)
        heard = _real(self.spared(functional.gelu(self.patterns(heard))), counts)
        inner = _real(functional.gelu(self.again[0](heard)), counts)
        heard = functional.gelu(heard + self.again[1](inner))
        features = self.dropout(self.norm(heard.transpose(1, 2).flatten(2).to(self.norm.weight.dtype)))
        return self.narrow(features.to(self.narrow.weight.dtype)).to(spectrum.dtype)


def _real(maps: Tensor, counts: Tensor | None) -> Tensor:
    """[B, C, t, bands] with zeros behind the first `counts` of each row, as convolutions pad; None: all are real."""
    return maps if counts is None else torch.where(is_real(counts, maps.shape[2])[:, None, :, None], maps, 0)
