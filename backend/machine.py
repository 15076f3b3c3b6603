# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process takes of its machine: as many threads as it has processors, and memory that it asks for only once."""

from __future__ import annotations

import ctypes
import math
import os
import platform
from pathlib import Path
from typing import TypeAlias

GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container what it may take."""
_CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
"""Parameters of ``mallopt(3)`` of the GNU C library."""

Kept: TypeAlias = tuple[tuple[int, int], ...]
"""What the C library is told about freed memory: parameters and values."""
A_WINDOW: Kept = ((_TRIM_THRESHOLD, 64 << 20), (_MMAP_THRESHOLD, 32 << 20))
"""As much as a window needs stays; larger arrays go back at once."""
ALL: Kept = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20))
"""Nothing is given back: every step of a training wants the same again."""


def suit_machine() -> None:
    """What a process that runs models does first."""
    limit_threads()
    keep_freed_memory()


def keep_freed_memory(kept: Kept = A_WINDOW) -> None:
    """Let a window, or a training step, use what the one before it freed.

    Otherwise arrays of some megabytes go back to the system at once, and every page of the next ones has to be fetched
    from it again: up to a fifth of the default model's time, and a third of a training step's. Does nothing where the C
    library is not GNU's.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for parameter, value in kept:
        library.mallopt(parameter, value)


def limit_threads() -> None:
    """Let torch compute with no more threads than the container has processors; somebody's own choice stays."""
    import torch

    share = processors(GROUP)
    if share is None or any(name in os.environ for name in _CHOSEN):
        return
    torch.set_num_threads(max(1, min(torch.get_num_threads(), math.ceil(share))))


def processors(group: Path) -> float | None:
    """How many processors' time a container may take, by version 2 or 1 of cgroups; None: there is no limit."""
    try:
        quota, period = (group / "cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        quota, period = (_number(group / "cpu" / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    try:
        share = float(quota) / float(period)  # "max", or -1, stands for no limit
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def _number(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
