# SPDX-License-Identifier: GPL-3.0-or-later
"""Task: what is trained, as `step(batch) -> {name: loss}` for the one loop, and which of its parts learn when."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

Parts = Literal["all", "decoder", "denoiser", "heads", "identities"]
"""What learns. `all` leaves the convolutions that hear the raw sound as they were pretrained; `decoder` is the motion
decoder with the heads: UniTalker's first epoch, and one-shot tuning; `denoiser` is what takes noise off motion and
nothing about who speaks, what is heard and what follows from these; `identities` is the table of people alone."""
_LEARNING: dict[Parts, str] = {
    "all": r"(?!encoder\.network\.feature_extractor\.)",
    "decoder": r"(?!encoder\.)",
    "denoiser": r"denoiser\.|heads\.",
    "heads": r"(?!encoder\.|decoder\.)",
    "identities": r"decoder\.identities\.",
}
"""How the names of parameters that learn begin."""


def learn(model: nn.Module, parts: Parts) -> list[nn.Parameter]:
    """Freeze everything but some parts and give their parameters, for a fresh optimizer without old moments."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(re.match(_LEARNING[parts], name) is not None)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


class AudioBatch(Protocol):
    """What every batch has."""

    @property
    def audio(self) -> Tensor:
        """float32 [B, n] at 16 kHz."""
        ...

    @property
    def origin(self) -> str:
        """What the user knows the clips by, to stand in a sentence behind "in a batch of"."""
        ...

    def to(self, device: torch.device) -> Self:
        """The same batch with its tensors on a device."""
        ...


BatchT = TypeVar("BatchT", bound=AudioBatch)
TaskBatchT = TypeVar("TaskBatchT", bound=AudioBatch, contravariant=True)


@dataclass(frozen=True)
class Piece(Generic[BatchT]):
    """The part of a step's batch that is computed at once."""

    batch: BatchT
    share: float = 1.0
    """Its clips among those of the whole batch; 0 for a stand-in where a process would have no clip at all."""


Pieces = Callable[[int], Sequence[Piece[BatchT]]]
"""What this process computes in a step. The shares of a step sum to 1 over all processes (`processes`)."""


class Task(Protocol[TaskBatchT]):
    """What the loop needs to know."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def step(self, batch: TaskBatchT) -> dict[str, Tensor]:
        """Losses by name for one batch, each a scalar with a gradient: the mean over the clips."""
        ...

    def parts(self, step: int) -> Parts:
        """What learns at a step; where it changes, the optimizer begins anew."""
        ...
