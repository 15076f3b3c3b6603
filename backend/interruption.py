# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that stops in the middle of a big model: between two layers, not only between two windows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

HEAVY = 100_000
"""Numbers in one weight from which on its layer takes long enough to be worth a look before it."""


@contextlib.contextmanager
def watched(model: nn.Module, go_on: Callable[[], None]) -> Iterator[None]:
    """Inside, `go_on` is called before every layer of the model with a `HEAVY` weight; it may raise to stop.

    A small model, which has none, is done with a window before anybody could wait, and looking would cost it a
    twentieth of its time.
    """
    handles = [layer.register_forward_pre_hook(lambda *_: go_on()) for layer in _heavy_layers(model)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _heavy_layers(model: nn.Module) -> Iterator[nn.Module]:
    names = {name.rpartition(".")[0] for name, weights in model.named_parameters() if weights.numel() >= HEAVY}
    return map(model.get_submodule, names)
