# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of sounds in NumPy's arrays by torch's Fourier transform, which is two to four times as quick as NumPy's."""

from __future__ import annotations

import numpy as np
import torch


def spectra_of(sounds: np.ndarray, size: int | None = None) -> np.ndarray:
    """Real [..., n] to complex [..., size // 2 + 1]; sounds are cut, or zeros put behind them, to `size` samples."""
    return torch.fft.rfft(torch.from_numpy(np.ascontiguousarray(sounds)), size).numpy()


def sounds_of(spectra: np.ndarray, size: int | None = None) -> np.ndarray:
    """Complex or real spectra [..., size // 2 + 1] to the sounds [..., size] they are of."""
    return torch.fft.irfft(torch.from_numpy(np.ascontiguousarray(spectra)), size).numpy()
