# SPDX-License-Identifier: GPL-3.0-or-later
"""Where models run."""

from __future__ import annotations

import platform

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


def title(device: str) -> str:
    """What its maker calls it."""
    return torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
