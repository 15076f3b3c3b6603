# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches ahead of time: put together by another process or thread while the ones before are being learned."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Generic, TypeVar

from torch.utils.data import DataLoader, Dataset

T = TypeVar("T")


def ahead(batch_of: Callable[[int], T]) -> Callable[[int], T]:
    """The same batches by step, from another thread; what goes wrong with one is raised when its step comes."""
    pool = ThreadPoolExecutor(1, "batches")
    waiting: dict[int, Future[T]] = {}

    def batch(step: int) -> T:
        wanted = waiting.pop(step, None) or pool.submit(batch_of, step)
        waiting.clear()
        waiting[step + 1] = pool.submit(batch_of, step + 1)
        return wanted.result()

    return batch


def far_ahead(batch_of: Callable[[int], T]) -> Callable[[int], T]:
    """As `ahead`, from another process where one can be forked (Linux): for batches that take Python itself long.

    In a thread such work and the training wait for each other: Python runs one of them at a time.
    """
    if sys.platform != "linux":
        return ahead(batch_of)
    steps: Iterator[T] = iter(())
    expected = -1

    def batch(step: int) -> T:
        nonlocal steps, expected
        if step != expected:
            loader = DataLoader(
                _Batches(batch_of),
                batch_size=None,
                sampler=count(step),
                num_workers=1,
                prefetch_factor=2,
                multiprocessing_context="fork",
            )
            steps = iter(loader)
        expected = step + 1
        return next(steps)

    return batch


class _Batches(Dataset[T], Generic[T]):
    """What torch's loader asks by step."""

    def __init__(self, batch_of: Callable[[int], T]) -> None:
        self.batch_of = batch_of

    def __getitem__(self, step: int) -> T:
        return self.batch_of(step)
