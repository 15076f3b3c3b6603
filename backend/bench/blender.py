# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured in Blender: `demo.bench`, in a process of the Python that has the bpy module."""

from __future__ import annotations

import sys
from pathlib import Path

from . import figures, runs
from .figures import Figure

PYTHON = runs.ROOT / ".venv-blender" / "bin" / "python"
"""Where `make environments` puts it."""


def measured(folder: Path, python: Path = PYTHON) -> list[Figure]:
    """The figures of Blender, found with this backend; one without a value where there is no such Python.

    Raises `BenchError`.
    """
    if not python.is_file() or not (runs.ROOT / "demo" / "bench.py").is_file():
        return [Figure("In Blender", None, "not run: no bpy module; `make environments` in a checkout brings it")]
    path = folder / "blender.json"
    runs.finished([str(python), "-m", "demo.bench", str(path)], MOUTHPIECE_BACKEND_PYTHON=sys.executable)
    return figures.read_all(path)
