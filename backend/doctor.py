# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether the backend can work here: Python, packages, device, memory, models, one timed inference."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import requirements
from .version import version

OLDEST_PYTHON = (3, 11)
LEAST_MEMORY = 2 << 30
_SECONDS = 10


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    found: str
    remedy: str = ""
    """What the user must do; empty where all is well."""


def examine(device_name: str, folders: Sequence[Path]) -> list[Check]:
    """All checks, in order; the later ones are left out where the earlier ones make them impossible."""
    checks = [Check("mouthpiece", version()), _python(), _packages()]
    if any(check.remedy for check in checks):
        return checks
    checks += [_torch(), _memory(), _device(device_name), *_models(folders)]
    if not any(check.remedy for check in checks):
        checks.append(_inference(device_name, folders))
    return checks


def _python() -> Check:
    remedy = "" if sys.version_info >= OLDEST_PYTHON else "Use Python 3.11 or newer for the backend."
    return Check("python", f"{platform.python_version()} ({sys.executable})", remedy)


def _packages() -> Check:
    try:
        requirements.require()
    except requirements.MissingPackages as error:
        return Check("packages", f"missing: {', '.join(requirements.missing())}", str(error))
    return Check("packages", "complete")


def _torch() -> Check:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Check(
            "torch", f"cannot be loaded: {error}", f'Install it again: "{sys.executable}" -m pip install torch'
        )
    return Check("torch", f"{torch.__version__}, {torch.get_num_threads()} threads")


def _memory() -> Check:
    if not hasattr(os, "sysconf"):
        return Check("memory", "not known on this system")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    remedy = "" if total >= LEAST_MEMORY else "2 GB are needed; run the backend on a machine with more memory."
    return Check("memory", f"{total / 1e9:.1f} GB", remedy)


def _device(name: str) -> Check:
    from . import device

    try:
        chosen = device.choose(name)
    except device.DeviceError as error:
        return Check("device", f"no {name}", str(error))
    return Check("device", f"{chosen} ({device.title(chosen)})")


def _models(folders: Sequence[Path]) -> list[Check]:
    from . import catalogue

    try:
        listing = catalogue.listing(folders)
    except catalogue.CatalogueError as error:
        return [Check("models", "a folder is missing", str(error))]
    names = ", ".join(entry.name for entry in listing.entries)
    remedy = "" if names else "Install Mouthpiece again: the shipped model is missing."
    broken = [Check("models", "a broken file", problem) for problem in listing.problems]
    return [Check("models", names or "none", remedy), *broken]


def _inference(device_name: str, folders: Sequence[Path]) -> Check:
    """The first model on ten seconds of noise, the second time, when everything is warm."""
    import numpy as np

    from . import catalogue, checkpoint, pipeline, planning, trial

    entry = catalogue.listing(folders).entries[0]
    try:
        loaded = checkpoint.load(entry.path)
    except checkpoint.CheckpointError as error:
        return Check("inference", f"{entry.name} cannot be loaded", str(error))
    loaded = trial.ready(loaded, device_name, "auto")
    planned = planning.plan(loaded, planning.Request())
    noise = np.random.default_rng(0).normal(0, 0.1, _SECONDS * 16_000).astype(np.float32)
    for _ in range(2):
        began = time.perf_counter()
        frames = sum(len(chunk.values) for chunk in pipeline.generate(loaded, noise, planned))
        seconds = time.perf_counter() - began
    return Check("inference", f"{entry.name}: {frames} frames from {_SECONDS} s of sound in {seconds * 1000:.0f} ms")
