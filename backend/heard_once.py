# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass of an encoder for everybody who wants to know what it hears in a sound."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

_KEPT = 4
"""Passes that are remembered: who shares a sound is at most a window apart, and a rest pose is heard in between."""


@contextlib.contextmanager
def heard_once(encoder: nn.Module) -> Iterator[None]:
    """Inside, an encoder that hears one of its last few sounds again gives the very features that it gave before.

    It must give the same features for the same arguments, so it must not be in training.
    """
    hear = encoder.forward
    known: deque[tuple[tuple[object, ...], Tensor]] = deque(maxlen=_KEPT)

    def forward(*question: object) -> Tensor:
        for asked, answer in known:
            if _is_same(asked, question):
                return answer
        answer = hear(*question)
        known.append((question, answer))
        return answer

    encoder.forward = forward
    try:
        yield
    finally:
        del encoder.forward


def _is_same(one: object, other: object) -> bool:
    import torch

    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.device == other.device and torch.equal(one, other)
    return type(one) is type(other) and one == other
