# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches ahead of time: read and put together by another thread while the ones before are being learned."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(batch_of: Callable[[int], T]) -> Callable[[int], T]:
    """The same batches by step; what goes wrong with one is raised when its step comes."""
    pool = ThreadPoolExecutor(1, "batches")
    waiting: dict[int, Future[T]] = {}

    def batch(step: int) -> T:
        wanted = waiting.pop(step, None) or pool.submit(batch_of, step)
        waiting.clear()
        waiting[step + 1] = pool.submit(batch_of, step + 1)
        return wanted.result()

    return batch
