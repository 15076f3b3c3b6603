# SPDX-License-Identifier: GPL-3.0-or-later
"""A point cache on a character: the Mesh Cache modifier of one strip, and the two curves that play it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.types import MeshCacheModifier, Object

from ..rig.targets import UNLIMITED, Curve
from ..writing import shaping
from .naming import named

if TYPE_CHECKING:
    import numpy as np


def modifier_of(character: Object, strip: str) -> MeshCacheModifier | None:
    """The modifier that plays a strip's cache on a character, where there is one."""
    found = character.modifiers.get(named(strip, strip))
    return found if isinstance(found, MeshCacheModifier) else None


def attach(character: Object, strip: str, path: str) -> MeshCacheModifier:
    """Let a modifier play the cache at `path`, in front of all others: the motion is that of the plain mesh.

    A strip has one modifier; another cache takes the place of its earlier one.
    """
    modifier = modifier_of(character, strip)
    if modifier is None:
        modifier = character.modifiers.new(named(strip, strip), "MESH_CACHE")
        modifier.factor = 0.0  # what shows where no key says otherwise
        caches = sum(isinstance(other, MeshCacheModifier) for other in character.modifiers)
        character.modifiers.move(len(character.modifiers) - 1, caches - 1)
    modifier.cache_format, modifier.filepath = "PC2", path
    modifier.play_mode, modifier.time_mode, modifier.interpolation = "CUSTOM", "FRAME", "LINEAR"
    return modifier


def curves(modifier: MeshCacheModifier, frames: int, blend: int) -> list[Curve]:
    """What plays a cache of `frames`: its frame number, to be slid and stretched at will, and how much of it shows.

    Both begin and end one frame outside the cache, where nothing of it shows, so that strips do not disturb each other.
    """
    import numpy as np

    place = np.arange(-1, frames + 1)
    shown = np.concatenate([[0.0], shaping.passage(frames, blend), [0.0]])
    return [_curve(modifier, "eval_frame", place, UNLIMITED), _curve(modifier, "factor", shown, (0.0, 1.0))]


def _curve(modifier: MeshCacheModifier, what: str, values: np.ndarray, limits: tuple[float, float]) -> Curve:
    path = f'modifiers["{bpy.utils.escape_identifier(modifier.name)}"].{what}'
    return Curve(modifier.id_data, path, 0, values.astype("float32"), limits, frozenset())
