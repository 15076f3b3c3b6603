# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorder for processors that does what a CUDA graph does, and refuses what a CUDA graph refuses.

It writes down every operation with the tensors that it works on, and does them again on the same memory. Python does
not run again: whatever it decided the first time stays decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

LOOKS = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "unique", "lift_fresh")
"""Operations by which Python learns a value or makes a tensor of numbers of its own; either waits for the device."""


class Refused(RuntimeError):
    """Something was done that cannot be recorded."""


class Tape(TorchDispatchMode):
    """A `replay.Record`."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor]]] = []
        self.recordings = 0
        self.replayed = 0

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        work()  # as a graph is warmed up
        self.operations = []
        with self:
            answer = work()
        operations, self.operations = self.operations, []
        self.recordings += 1

        def again() -> Tensor:
            self.replayed += 1
            for operation, arguments, options, results in operations:
                for old, new in zip(results, tree_leaves(operation(*arguments, **options)), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)
            return answer

        return again

    def __torch_dispatch__(self, operation: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        name = operation.overloadpacket.__name__
        if name in LOOKS:
            raise Refused(f"{name} cannot be recorded")
        results = operation(*arguments, **(options or {}))
        self.operations.append((operation, arguments, options or {}, tree_leaves(results)))
        return results
