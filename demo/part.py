# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of a demo: a process of its own, in the environment that has the bpy module. Standard library only."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .layout import BLENDER_PYTHON, ROOT


def run(module: str, output: Path, *words: object) -> None:
    """Run a module of the demo there, with ``--output``; its own messages go to a log beside the results.

    Raises SystemExit with one sentence where it fails.
    """
    command = [BLENDER_PYTHON, "-m", module, "--output", output, *words]
    log = output / "blender.log"
    with log.open("w", encoding="utf-8") as stream:
        finished = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=stream, check=False)
    if finished.returncode:
        raise SystemExit(f"error: {module} failed; its last words are at the end of {log}")
