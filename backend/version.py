# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Mouthpiece this is."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

_MANIFEST = Path(__file__).resolve().parent.parent / "blender_manifest.toml"


def version() -> str:
    """The manifest's number, or the package's where the backend was installed without the extension around it."""
    if _MANIFEST.is_file():
        return tomllib.loads(_MANIFEST.read_text(encoding="utf-8"))["version"]
    return importlib.metadata.version("mouthpiece")
