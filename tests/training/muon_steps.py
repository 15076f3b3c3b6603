# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of Muon along given gradients: ``torchrun muon_steps.py FOLDER`` writes what each process has learned."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from backend.training import processes
from backend.training.muon import Muon

SHAPES = ((48, 16), (16, 48), (16, 48), (24, 24), (4, 40), (40, 4), (120, 300))
RATE = 0.02
DECAY = 0.1


def muon(matrices: list[nn.Parameter]) -> Optimizer:
    return Muon(matrices, lr=RATE, weight_decay=DECAY)


def learned(make: Callable[[list[nn.Parameter]], Optimizer] = muon, steps: int = 4) -> list[Tensor]:
    """Matrices after some steps. The third has no gradient in the first of them."""
    random = torch.Generator().manual_seed(0)
    matrices = [nn.Parameter(torch.randn(shape, generator=random) / 10) for shape in SHAPES]
    optimizer = make(matrices)
    for step in range(steps):
        for which, matrix in enumerate(matrices):
            gradient = torch.randn(matrix.shape, generator=random)
            matrix.grad = None if which == 2 and step == 0 else gradient
        optimizer.step()
    return [matrix.detach() for matrix in matrices]


if __name__ == "__main__":
    with processes.joined("cpu"):
        name = f"{processes.number()} of {processes.count()}"
        made = {str(which): matrix for which, matrix in enumerate(learned())}
        save_file(made, Path(sys.argv[1]) / name)
