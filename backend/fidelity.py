# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a faster way through a UniTalker is from the plain one in float32, on a short sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .windows import SAMPLE_RATE, frame_count

if TYPE_CHECKING:
    from .models.unitalker import UniTalker

LARGEST_ERROR = 0.01
"""Of the motion's range; what is further off is not used."""
PROBE_SECONDS = 9


@dataclass(frozen=True, eq=False)
class Original:
    """What a model made of the probe before anything was done to its encoder."""

    probe: Tensor
    """float32 [1, n] at 16 kHz."""
    hidden: dict[float, Tensor]
    """float32 [1, frames, width] by frame rate: the motion decoder's output, which heads of any space can read."""

    def frames(self, fps: float) -> int:
        """Of the probe."""
        return frame_count(self.probe.shape[1], fps)

    @torch.no_grad()
    def error(self, model: UniTalker, space: str, fps: float, motion: Tensor) -> float:
        """The largest error of motion [..., frames, dim] in a space of the model, as a share of the range.

        NaN where the motion is no number. The heads must be the ones that the model was read with.
        """
        wanted, _ = model.heads[space](self.hidden[fps], model.template(space))
        largest, extent = float((motion.to(wanted.device) - wanted).abs().max()), float(wanted.max() - wanted.min())
        return largest / extent if extent else largest


@torch.no_grad()
def original(model: UniTalker, rates: Iterable[float]) -> Original:
    """Let a model as it was read hear the probe, for spaces of these frame rates; for the pivot."""
    probe = syllables().to(next(model.parameters()).device)
    space = next(iter(model.heads))
    frames = {fps: frame_count(probe.shape[1], fps) for fps in rates}
    return Original(probe, {fps: model(probe, space, count).hidden for fps, count in frames.items()})


def syllables() -> Tensor:
    """float32 [1, n]: noise that comes and goes like syllables, always the same."""
    moments = torch.arange(PROBE_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    noise = torch.randn(len(moments), generator=torch.Generator().manual_seed(0))
    return (0.1 * noise * (0.5 + 0.5 * torch.sin(8 * torch.pi * moments)))[None]
