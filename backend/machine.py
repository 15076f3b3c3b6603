# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process takes of its machine: as many threads as it has processors, and memory that it asks for only once."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from pathlib import Path

GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container what it may take."""
_CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of ``mallopt`` (malloc.h of the GNU C library)."""
_KEPT = 64 << 20
"""Bytes of freed memory that stay with the process."""
_LARGE = 32 << 20
"""Bytes of an array that is still given back at once; the most that the library takes."""


def suit_machine() -> None:
    """What a process that runs models does first."""
    limit_threads()
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Let a window use what the window before it freed; does nothing where the C library is not GNU's.

    Otherwise all arrays of some megabytes go back to the system at once and every page of the next ones has to be
    fetched from it again, which takes the default model a fifth of its time.
    """
    if sys.platform != "linux":
        return
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_TRIM_THRESHOLD, _KEPT)
        adjust(_MMAP_THRESHOLD, _LARGE)


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
