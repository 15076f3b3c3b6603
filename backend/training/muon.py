# SPDX-License-Identifier: GPL-3.0-or-later
"""Muon: steps of equal length along all directions of a matrix (Jordan et al. 2024, "Muon: an optimizer for hidden
layers in neural networks").

It computes what `torch.optim.Muon` does with "match_rms_adamw", and remembers it under the same name. Torch's computes
in bfloat16 wherever it runs; this one does only on devices that multiply that in hardware, and elsewhere in float32
with fewer products. Of several processes, each makes its share of the matrices orthogonal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from backend.precision import has_native_bf16
from torch import Tensor, nn
from torch.optim import Optimizer

from . import processes

MOMENTUM = 0.95
ROUNDS = 5
CURVE = (3.4445, -4.7750, 2.0315)
"""a, b, c of Jordan et al.: a round makes aσ + bσ³ + cσ⁵ of each singular value σ, steep at 0 so that five rounds do;
they end about 1 and not at it."""
LENGTH = 0.2
"""Root mean square of a step per rate, about AdamW's (Liu et al. 2025, "Muon is scalable for LLM training")."""
LARGEST_STACK = 1 << 17
"""Numbers in matrices of one shape that are multiplied at once: small ones take a third of the time so, and a stack of
large ones would not fit into the processor's cache."""
_SMALLEST_NORM = 1e-7


class Muon(Optimizer):
    """For matrices alone; they need a gradient in all processes or in none."""

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Change the weights once."""
        for group in self.param_groups:
            matrices = [matrix for matrix in group["params"] if matrix.grad is not None]
            for matrix, direction in zip(matrices, self._directions(matrices), strict=True):
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(direction, alpha=-group["lr"] * LENGTH * math.sqrt(max(matrix.shape)))

    def _directions(self, matrices: Sequence[nn.Parameter]) -> list[Tensor]:
        """Where each matrix goes; every process computes its share, and all have the same in the end."""
        for matrix in matrices:
            self._momentum(matrix).lerp_(_gradient(matrix), 1 - MOMENTUM)
        own = _share(matrices)
        ahead = [_gradient(matrices[which]).lerp(self._momentum(matrices[which]), MOMENTUM) for which in own]
        computed = dict(zip(own, orthogonal(ahead), strict=True))
        directions = [
            computed[which] if which in computed else torch.zeros_like(matrix) for which, matrix in enumerate(matrices)
        ]
        processes.add_up(directions)
        return directions

    def _momentum(self, matrix: nn.Parameter) -> Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        return state["momentum_buffer"]


def _gradient(matrix: nn.Parameter) -> Tensor:
    if matrix.grad is None:
        raise ValueError("the matrix has no gradient")
    return matrix.grad


def _share(matrices: Sequence[Tensor]) -> list[int]:
    """Numbers of the matrices that this process computes: dealt out by size, so that all have as much to do."""
    by_size = sorted(range(len(matrices)), key=lambda which: sorted(matrices[which].shape))
    return by_size[processes.number() :: processes.count()]


def orthogonal(matrices: Sequence[Tensor]) -> list[Tensor]:
    """The nearly orthogonal matrix next to each: of the same shape, its singular values about 1."""
    wide = [matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix for matrix in matrices]
    made: dict[int, Tensor] = {}
    for together in _stacks(wide):
        made |= zip(together, _orthogonal(torch.stack([wide[which] for which in together])), strict=True)
    return [made[which].mT if flat is not matrices[which] else made[which] for which, flat in enumerate(wide)]


def _stacks(matrices: Sequence[Tensor]) -> Iterator[list[int]]:
    """Numbers of matrices of one shape, up to `LARGEST_STACK` and never fewer than one matrix."""
    alike: dict[torch.Size, list[int]] = {}
    for which, matrix in enumerate(matrices):
        alike.setdefault(matrix.shape, []).append(which)
    for shape, which in alike.items():
        most = max(LARGEST_STACK // shape.numel(), 1)
        yield from (which[first : first + most] for first in range(0, len(which), most))


def _orthogonal(stack: Tensor) -> Tensor:
    """Of [N, R, C] with R <= C, [N, R, C]."""
    scaled = stack / stack.norm(dim=(1, 2), keepdim=True).clamp(min=_SMALLEST_NORM)
    if has_native_bf16(stack.device.type):
        return by_rounds(scaled.bfloat16()).to(stack.dtype)
    return by_gram(scaled)


def by_rounds(stack: Tensor) -> Tensor:
    """Newton and Schulz's rounds as they are written, which even bfloat16 bears. Of [N, R, C], [N, R, C]."""
    a, b, c = CURVE
    for _ in range(ROUNDS):
        gram = stack @ stack.mT
        stack = torch.baddbmm(stack, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), stack, beta=a)
    return stack


def by_gram(stack: Tensor) -> Tensor:
    """The same rounds on the small Gram matrix G alone, in two thirds of the time. Of [N, R, C], [N, R, C].

    A round multiplies X by Q = aI + bG + cG², thus G by Q², and only the product of all Q meets the matrix. Rounding
    grows more: in float32 the result is off by less than 1e-3, and by 1e-2 at worst where the rank is low, since P(G)
    is large there; that is a tenth of what bfloat16 does to `by_rounds`, and bfloat16 would ruin this.
    """
    a, b, c = CURVE
    gram = stack @ stack.mT
    rest = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # Q - aI
    product = rest + a * torch.eye(stack.shape[1], dtype=stack.dtype, device=stack.device)
    for _ in range(ROUNDS - 1):
        once = torch.baddbmm(gram, gram, rest, beta=a)
        gram = torch.baddbmm(once, once, rest, beta=a)
        rest = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        product = torch.baddbmm(product, product, rest, beta=a)
    return product @ stack
