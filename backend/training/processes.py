# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes that train one model, each on its share of every batch: `torchrun -m backend train ...`.

Without torchrun there is one process, and all of this costs nothing. Every process makes the same steps from the same
weights; what they exchange is sums of gradients and losses, so that all of them learn what one process would learn that
computes the whole batch. Number 0 alone validates and writes.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, distributed, nn

from .errors import ConfigError

LONGEST_WAIT = datetime.timedelta(hours=6)
"""How long the others wait while number 0 validates."""
LARGEST_LOAD = 1 << 23
"""Numbers that travel between the processes at a time; there is a copy of them meanwhile."""


@contextlib.contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, if it did; gives this one's device, for example cuda:1."""
    if not distributed.is_torchelastic_launched():
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=LONGEST_WAIT)
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def number() -> int:
    """Which of them this one is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this process validates, writes and speaks for all."""
    return number() == 0


def own_pieces(each: int) -> range:
    """Which pieces of a step this process computes, where every one of them computes so many."""
    return range(number() * each, (number() + 1) * each)


def add_up(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by the sum of what the processes hold; all must call it with tensors of the same shapes.

    They travel many at a time: each journey takes long, however little it carries.
    """
    if count() == 1:
        return
    travelling = []
    for load in _loads(tensors):
        together = torch.cat([tensor.reshape(-1) for tensor in load])
        travelling.append((load, together, distributed.all_reduce(together, async_op=True)))
    for load, together, sent in travelling:
        if sent is not None:
            sent.wait()
        for tensor, added in zip(load, together.split([tensor.numel() for tensor in load]), strict=True):
            tensor.copy_(added.view_as(tensor))


def _loads(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one kind together, up to `LARGEST_LOAD` numbers and never fewer than one tensor."""
    load: list[Tensor] = []
    for tensor in tensors:
        is_full = sum(other.numel() for other in load) + tensor.numel() > LARGEST_LOAD
        if load and (is_full or tensor.dtype != load[0].dtype):
            yield load
            load = []
        load.append(tensor)
    if load:
        yield load


def add_up_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Add up the gradients of parameters, the same in all processes. One may lack a gradient here, as layers are
    dropped by chance, and no process may have one, as heads of other FaceSpaces do."""
    if count() == 1 or not parameters:
        return
    has_gradient = torch.tensor(
        [parameter.grad is not None for parameter in parameters], dtype=torch.int32, device=parameters[0].device
    )
    distributed.all_reduce(has_gradient, distributed.ReduceOp.MAX)
    for parameter, anywhere in zip(parameters, has_gradient.tolist(), strict=True):
        if anywhere and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    add_up(parameter.grad for parameter in parameters if parameter.grad is not None)


def as_first(value: int, device: torch.device) -> int:
    """What the first process says."""
    said = torch.tensor(value, device=device)
    if count() > 1:
        distributed.broadcast(said, src=0)
    return int(said)


def require_same(value: int, device: torch.device, sentence: str) -> None:
    """Raises ConfigError with a sentence in all processes if one of them has another value."""
    limits = torch.tensor([value, -value], device=device)
    if count() > 1:
        distributed.all_reduce(limits, distributed.ReduceOp.MAX)
    if int(limits[0]) != -int(limits[1]):
        raise ConfigError(sentence)
