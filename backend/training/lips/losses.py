# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses: pure functions of tensors that give one number each; the config weighs them by name."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .prepare import BETWEEN, SHUT
from .score import CLOSED, aperture

SOFTNESS = 0.025
"""Aperture that makes a frame e times as likely to count as closed."""


def motion(values: Tensor, target: Tensor, importance: Tensor) -> Tensor:
    """Mean squared error of [B, T, C] with one weight per channel, [C]."""
    return ((values - target).square() * importance).mean()


def pause(values: Tensor, target: Tensor, importance: Tensor, silent: Tensor) -> Tensor:
    """`motion` over the frames alone in which nobody speaks, bool [B, T]; 0 where there are none.

    There a small movement is seen at once, and counts little in a mean over all frames.
    """
    errors = ((values - target).square() * importance).mean(dim=-1)
    return (errors * silent).sum() / silent.sum().clamp(min=1)


def velocity(values: Tensor, target: Tensor, importance: Tensor) -> Tensor:
    """The same for the change from frame to frame."""
    return motion(values.diff(dim=1), target.diff(dim=1), importance)


def closure(values: Tensor, lips: Tensor, shut_weight: float) -> Tensor:
    """Cross entropy of "the lips are shut", read from ARKit weights [B, T, 52] themselves.

    The aperture's distance from the limit at which lips count as closed is taken as a logit, so that the model
    settles on which side of the limit a frame lies instead of halfway. `lips` int64 [B, T] as in `prepare`.
    """
    logits = (CLOSED - aperture(values.clamp(0, 1))) / SOFTNESS
    return shut(logits, lips, shut_weight)


def shut(logits: Tensor, lips: Tensor, shut_weight: float) -> Tensor:
    """Binary cross entropy of logits [B, T] against lips [B, T]; frames between open and shut do not count."""
    known = (lips != BETWEEN).float()
    weight = logits.new_tensor(shut_weight)
    each = functional.binary_cross_entropy_with_logits(
        logits, (lips == SHUT).float(), pos_weight=weight, reduction="none"
    )
    return (each * known).sum() / known.sum().clamp(min=1)


def viseme(logits: Tensor, visemes: Tensor) -> Tensor:
    """Cross entropy of class scores [B, T, classes] against int64 [B, T]."""
    return functional.cross_entropy(logits.transpose(1, 2), visemes, label_smoothing=0.05)


def at_rate(labels: Tensor, frames: int) -> Tensor:
    """Labels [B, T] taken at `frames` evenly spaced times, first and last kept."""
    places = torch.linspace(0, labels.shape[1] - 1, frames, device=labels.device).round().long()
    return labels[:, places]
