# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages: how a student's performances compare with its first teacher's, on the same speech and the same noise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from backend.models.layers import is_real
from backend.training.motion.regression import MotionBatch
from torch import Tensor

from .talker_model import Talker
from .task import Choices, tell

TAKES = 3


@dataclass(frozen=True)
class Row:
    """What one model does in its own number of steps."""

    steps: int
    parameters: int
    error: float
    """Mean distance of a take's numbers to the annotation, in the space's unit."""
    spread: float
    """Mean deviation of a number over takes, in the space's unit."""
    apart: float
    """Distance to the first teacher's take of the same noise, as a share of that take's own deviation."""
    seconds: float
    """Denoising of all takes, without hearing."""


class Yardstick:
    """A batch of validation speech with what the first teacher makes of it."""

    def __init__(self, teacher: Talker, batch: MotionBatch) -> None:
        self.batch = batch
        self.takes, seconds = self._performed(teacher)
        """[takes, B, T, dim]: the teacher's."""
        self.teacher = self._row(teacher, self.takes, seconds)
        """The teacher's figures."""

    def row(self, talker: Talker) -> Row:
        """The figures of a student."""
        return self._row(talker, *self._performed(talker))

    @torch.no_grad()
    def _performed(self, talker: Talker) -> tuple[Tensor, float]:
        """All takes [takes, B, T, dim], and the seconds that it took to denoise them."""
        model, batch = talker.model.to(self.batch.values.device).eval(), self.batch
        head, count, frames = model.head(batch.space), *batch.values.shape[:2]
        nobody = torch.zeros(count, dtype=torch.bool, device=batch.values.device)
        condition = tell(model, batch, talker.rates[batch.space], Choices(batch.identity, nobody, nobody)).condition
        fields = [model.noise(seed, 0, frames, batch.space).to(batch.values) for seed in range(TAKES)]
        began = time.perf_counter()
        found = [model.sample(batch.space, field.expand(count, -1, -1), condition) for field in fields]
        seconds = time.perf_counter() - began
        return torch.stack([head.decode(z, batch.template) for z in found]), seconds

    def _row(self, talker: Talker, takes: Tensor, seconds: float) -> Row:
        real = is_real(self.batch.lengths.frames, takes.shape[2])
        own, wanted = self.takes[:, real], self.batch.values[real]
        return Row(
            talker.model.config.steps,
            sum(parameter.numel() for parameter in talker.model.parameters()),
            (takes[:, real] - wanted).abs().mean().item(),
            takes[:, real].std(dim=0).mean().item(),
            ((takes[:, real] - own).square().mean() / own.var(dim=1).mean()).sqrt().item(),
            seconds,
        )


def table(rows: Sequence[Row]) -> str:
    """Figures as a markdown table, the first teacher on top."""
    first = rows[0]
    lines = ["| steps | parameters | error | spread of takes | apart from the teacher | denoising |", "|---" * 6 + "|"]
    for row in rows:
        lines.append(
            f"| {row.steps} | {row.parameters / 1e6:.2f} M | {row.error:.4g} | {row.spread:.4g}"
            f" ({row.spread / max(first.spread, 1e-12):.0%}) | {row.apart:.3f} | {first.seconds / row.seconds:.1f} x |"
        )
    return "\n".join(lines)
