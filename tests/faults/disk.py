# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def full_disk(left: int) -> Iterator[None]:
    """No file can grow beyond so many bytes: the system refuses a write half-way, as a full disk does."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
