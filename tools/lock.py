# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the lock files that *Install Backend* installs: ``backend/requirements.lock`` and ``backend/torch.lock``.

The first one pins every package but torch for all systems, with hashes, at the versions of ``constraints.txt``. Torch
has a file of its own, without hashes: its builds for CPU, CUDA and ROCm are different files under one version, and each
brings the libraries of its graphics card by itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BACKEND = ROOT / "backend"
HEADER = "# Made by `make lock` from pyproject.toml and constraints.txt; not to be edited.\n"
BROUGHT_BY_TORCH = re.compile(r"(torch|triton|nvidia-|cuda-|intel-)")
"""What torch's own build decides."""


def compiled() -> str:
    """All packages of the backend, for all systems, with hashes."""
    constraints = ROOT / "constraints.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    options = ["--no-header", "--no-annotate", "--python-version", "3.11", "--constraint", str(constraints)]
    project = ["--extra", "words", str(ROOT / "pyproject.toml"), "-"]
    done = subprocess.run(
        [*command, *options, *project], input=pin(constraints, "uv"), check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def pin(constraints: Path, package: str) -> str:
    """The line of `constraints` that pins a package."""
    lines = constraints.read_text(encoding="utf-8").splitlines(keepends=True)
    return next(line for line in lines if line.startswith(f"{package}=="))


def main() -> None:
    """Write both files."""
    entries = re.split(r"\n(?=\S)", compiled().strip())
    kept = [entry for entry in entries if not BROUGHT_BY_TORCH.match(entry)]
    (BACKEND / "requirements.lock").write_text(HEADER + "\n".join(kept) + "\n", encoding="utf-8")
    (BACKEND / "torch.lock").write_text(HEADER + pin(ROOT / "constraints.txt", "torch"), encoding="utf-8")


if __name__ == "__main__":
    main()
