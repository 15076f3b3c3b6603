# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads a model computes with: torch counts cores, and a container may have fewer of them than it sees."""

from __future__ import annotations

import math
import os
from pathlib import Path

GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container what it may take."""
_CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def suit_machine() -> None:
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
