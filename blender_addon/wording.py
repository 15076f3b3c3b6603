# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of sentences: some of many names, and what Blender itself has said. No bpy."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def first_line(problem: RuntimeError) -> str:
    """What an operator of Blender has failed with, which it says with “Error: ” before it, and often twice."""
    return str(problem).strip().partition("\n")[0].removeprefix("Error: ").removesuffix(".")
