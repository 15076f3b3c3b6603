# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that stops in the middle of a big model: between two layers, not only between two windows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@contextlib.contextmanager
def watched(model: nn.Module, go_on: Callable[[], None]) -> Iterator[None]:
    """Inside, `go_on` is called before every layer of the model; it may raise to stop."""
    handles = [part.register_forward_pre_hook(lambda *_: go_on()) for part in model.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
