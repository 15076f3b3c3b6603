# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages the backend's Python must have, found without importing them."""

from __future__ import annotations

import importlib.util
import sys

PACKAGES = ("numpy", "torch", "transformers", "safetensors", "soundfile", "soxr", "tqdm")


class MissingPackages(Exception):
    """This Python cannot run the backend; the sentence says what to install."""


def missing() -> list[str]:
    """The packages that this Python lacks."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def require() -> None:
    """Raise `MissingPackages` where one is missing."""
    if lacking := missing():
        names = ", ".join(lacking)
        raise MissingPackages(
            f"The Python {sys.executable} lacks {names}; install with: "
            f'"{sys.executable}" -m pip install {" ".join(lacking)}'
        )
