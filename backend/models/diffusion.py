# SPDX-License-Identifier: GPL-3.0-or-later
"""The mathematics of diffusion: noise schedules, what a network may predict, DDIM steps, and a distilled target.

Time is counted in steps of a schedule: 0 is clean, the last one almost pure noise. A noisy sample is
``z = alpha x + sigma eps`` with ``alpha² + sigma² = 1`` ("Denoising diffusion implicit models", Song et al. 2021;
"Progressive distillation for fast sampling of diffusion models", Salimans and Ho 2022). Pure functions of tensors.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

Schedule = Literal["cosine", "linear"]
Prediction = Literal["x", "eps", "v"]
"""What a network's output is: the clean sample, the noise, or ``alpha eps - sigma x``."""
_LARGEST_BETA = 0.999
_COSINE_OFFSET = 0.008
_FIELD_BLOCK = 256


class Level(NamedTuple):
    """How much of a noisy sample is signal and how much is noise; shapes broadcast against the samples."""

    alpha: Tensor
    sigma: Tensor


def signal_shares(schedule: Schedule, times: int, shift: float = 1.0) -> Tensor:
    """alpha² at the times 0 to `times`: float64 [times + 1], falling from 1.

    `cosine` as in Nichol and Dhariwal 2021, section 3.2; `linear` as in Ho et al. 2020, section 4, whose 1e-4 to 0.02
    of 1000 steps is scaled to the number of steps.

    `shift` divides alpha / sigma at every time. Where neighbouring numbers say the same (frames of a smooth motion,
    both eyelids), what happens is decided at more noise, and more of the steps should be there (Hoogeboom et al. 2023,
    "Simple diffusion", section 3.1).
    """
    if schedule == "linear":
        scale = 1000 / times
        betas = torch.linspace(1e-4 * scale, 0.02 * scale, times, dtype=torch.float64).clamp(max=_LARGEST_BETA)
    else:
        place = torch.arange(times + 1, dtype=torch.float64) / times
        curve = torch.cos((place + _COSINE_OFFSET) / (1 + _COSINE_OFFSET) * math.pi / 2).square()
        betas = (1 - curve[1:] / curve[:-1]).clamp(max=_LARGEST_BETA)
    shares = torch.cat((torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)))
    return shares / (shares + shift**2 * (1 - shares))


def levels_of(shares: Tensor, dtype: torch.dtype = torch.float32) -> Level:
    """The levels [times + 1] of all times: `shares` as `signal_shares` gives them."""
    return Level(shares.sqrt().to(dtype), (1 - shares).sqrt().to(dtype))


def level_at(levels: Level, time: Tensor) -> Level:
    """The level [B, 1, 1] of each sample: `levels` of all times (`levels_of`), `time` int64 [B].

    Every sample of a batch may have a time of its own.
    """
    return Level(levels.alpha[time].reshape(-1, 1, 1), levels.sigma[time].reshape(-1, 1, 1))


def angle(level: Level) -> Tensor:
    """float32 [B]: how noisy a level is, 0 (clean) to 1; with the cosine schedule about the share of its times."""
    return torch.atan2(level.sigma, level.alpha).reshape(-1) * (2 / math.pi)


def noisy(x: Tensor, eps: Tensor, level: Level) -> Tensor:
    """z: the clean sample with noise."""
    return level.alpha * x + level.sigma * eps


def velocity(x: Tensor, eps: Tensor, level: Level) -> Tensor:
    """v of a clean sample and its noise."""
    return level.alpha * eps - level.sigma * x


def clean(output: Tensor, z: Tensor, level: Level, prediction: Prediction) -> Tensor:
    """x out of what a network says about z. With `eps`, alpha must not be 0."""
    match prediction:
        case "x":
            return output
        case "eps":
            return (z - level.sigma * output) / level.alpha
        case "v":
            return level.alpha * z - level.sigma * output


def noise(output: Tensor, z: Tensor, level: Level, prediction: Prediction) -> Tensor:
    """eps out of what a network says about z. With `x`, sigma must not be 0."""
    match prediction:
        case "x":
            return (z - level.alpha * output) / level.sigma
        case "eps":
            return output
        case "v":
            return level.sigma * z + level.alpha * output


def ddim_step(z: Tensor, x: Tensor, now: Level, then: Level) -> Tensor:
    """z at an earlier time, where the clean sample is taken to be x; deterministic (eta = 0)."""
    return then.alpha * x + then.sigma / now.sigma * (z - now.alpha * x)


def sampling_times(times: int, steps: int) -> list[int]:
    """The times that a sample of so many steps passes, from the noisiest to 0: `steps` + 1 of them, evenly spaced."""
    return [round(times * (steps - done) / steps) for done in range(steps + 1)]


def guided(conditional: Tensor, unconditional: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance (Ho and Salimans 2022): 1 changes nothing, more follows the condition further."""
    return unconditional + guidance * (conditional - unconditional)


def distilled(z: Tensor, z_then: Tensor, now: Level, then: Level) -> Tensor:
    """The x for which one DDIM step from z ends at z_then, where several steps of a teacher ended.

    Salimans and Ho 2022, section 3 and appendix G. Where the second level is clean, this is z_then itself.
    """
    ratio = then.sigma / now.sigma
    return (z_then - ratio * z) / (then.alpha - ratio * now.alpha)


def distillation_weight(level: Level, largest: float) -> Tensor:
    """Truncated signal-to-noise ratio, at least 1 (Salimans and Ho 2022, section 4) and at most `largest`."""
    return (level.alpha / level.sigma).square().clamp(1.0, largest)


def noise_field(seed: int, start: int, frames: int, numbers: int) -> Tensor:
    """float32 [frames, numbers]: normal noise from frame `start` on, the same for a frame however it is asked for.

    Every take has one field for the whole sound, so neither windows nor batches change what comes of it. It is drawn on
    the processor (Philox, a counter-based generator) and so the same on every device.
    """
    first, last = start // _FIELD_BLOCK, (start + max(frames, 1) - 1) // _FIELD_BLOCK
    blocks = [_field_block(seed, block, numbers) for block in range(first, last + 1)]
    offset = start - first * _FIELD_BLOCK
    return torch.from_numpy(np.concatenate(blocks)[offset : offset + frames])


def _field_block(seed: int, block: int, numbers: int) -> np.ndarray:
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, block], np.uint64)))
    return generator.standard_normal((_FIELD_BLOCK, numbers), np.float32)
