# SPDX-License-Identifier: GPL-3.0-or-later
"""How the motion of a whole mesh is kept: the artist's choices, as names and numbers only. No bpy."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Keeping(enum.StrEnum):
    """In what form a mesh remembers its motion."""

    CACHE = "cache"
    """A point cache beside the .blend, exact, behind one curve that retimes it."""
    SHAPES = "shapes"
    """Shape keys of our own with a curve each: within a tolerance, inside the .blend, and they survive glTF and FBX."""


@dataclass(frozen=True)
class MeshOptions:
    """How the motion of one mesh is kept."""

    keeping: Keeping = Keeping.CACHE
    folder: str = "//mouthpiece cache"
    """Where point caches go; ``//`` stands for the folder of the .blend."""
    tolerance: float = 0.0002
    """For shapes: how far any vertex may be from its place, as a share of the mesh's largest dimension."""
