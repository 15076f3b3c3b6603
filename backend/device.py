# SPDX-License-Identifier: GPL-3.0-or-later
"""Where models run, and how much memory is left there."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import torch


class DeviceError(Exception):
    """The device asked for is not there."""


def choose(name: str) -> str:
    """``cpu``, ``cuda`` or ``mps``; ``auto`` takes the fastest that is there. Raises `DeviceError`."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise DeviceError(f"This machine's torch has no {name}; use --device auto or cpu.")
    return name


@dataclass(frozen=True)
class Memory:
    """Of a device, in bytes; 0 where it is not known."""

    free: int = 0
    all: int = 0


def memory(device: str) -> Memory:
    """The graphics card's memory as all programs use it; for the processor, the computer's, where Linux tells it."""
    if device == "cuda":
        return Memory(*torch.cuda.mem_get_info())
    if device == "mps":
        limit = torch.mps.recommended_max_memory()
        return Memory(limit - torch.mps.driver_allocated_memory(), limit)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return Memory()
    kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(kibibytes.get("MemAvailable", 0) << 10, kibibytes.get("MemTotal", 0) << 10)


def release(device: str) -> None:
    """Give memory that torch keeps for later back to other programs."""
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def title(device: str) -> str:
    """What its maker calls it."""
    return torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
