# SPDX-License-Identifier: GPL-3.0-or-later
"""Optimizers: what changes the weights; AdamW alone, or Muon for the layers' matrices beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from .config import OptimizerConfig
from .muon import Muon

_TABLES = "identities"
_READINGS = ("heads.", "auxiliary.")


class Optimizers:
    """One optimizer of several, each with parameters of its own; its state counts them through."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = tuple(parts)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Of all parts; what is set in them holds from the next step on."""
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        """Change the weights once."""
        for part in self.parts:
            part.step()

    def state(self) -> dict[int, dict[str, Tensor]]:
        """What the parts remember of each parameter, by its number among all of them."""
        remembered: dict[int, dict[str, Tensor]] = {}
        for part, numbers in self._numbered():
            remembered |= {numbers[own]: values for own, values in part.state_dict()["state"].items()}
        return remembered

    def remember(self, state: Mapping[int, dict[str, Tensor]]) -> None:
        """Go on from a `state` of the same parameters."""
        for part, numbers in self._numbered():
            remembered = {own: state[number] for own, number in enumerate(numbers) if number in state}
            part.load_state_dict({"state": remembered, "param_groups": part.state_dict()["param_groups"]})

    def _numbered(self) -> Iterator[tuple[Optimizer, range]]:
        first = 0
        for part in self.parts:
            end = first + sum(len(group["params"]) for group in part.param_groups)
            yield part, range(first, end)
            first = end


def optimizers_for(model: nn.Module, settings: OptimizerConfig) -> Optimizers:
    """For all parameters that learn. Decay is for matrices only; norms, biases and identities stay free.

    Muon takes steps of equal length along all directions of a matrix (Jordan et al. 2024, "Muon: an optimizer for
    hidden layers"), as long as AdamW's (Liu et al. 2025, "Muon is scalable for LLM training"). Filters, and the
    matrices that read the answer from the last layer, stay with AdamW, as their authors advise.
    """
    learning = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    hidden = [value for name, value in learning if settings.muon and _is_hidden_matrix(name, value)]
    taken = {id(value) for value in hidden}
    decaying = [value for name, value in learning if value.ndim > 1 and _TABLES not in name and id(value) not in taken]
    taken |= {id(value) for value in decaying}
    free = [value for _, value in learning if id(value) not in taken]
    groups = [{"params": decaying, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    parts: list[Optimizer] = [AdamW(groups, lr=settings.rate, fused=True)]
    if hidden:
        parts.append(Muon(hidden, lr=settings.rate, weight_decay=settings.weight_decay))
    return Optimizers(parts)


def _is_hidden_matrix(name: str, value: Tensor) -> bool:
    return value.ndim == 2 and _TABLES not in name and not name.startswith(_READINGS)
