# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting animatable properties by their path, as if by hand."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

import bpy
from bpy.types import ID

from . import stack

_OWN = re.compile(r'(.*)\["((?:[^"\\]|\\.)*)"\]')
"""The path of a property that the artist has added, at the datablock itself or at a bone."""


def put(block: ID, target: tuple[str, int], value: float) -> None:
    """Give a property, by path and index, a value; ValueError where the datablock has no such property."""
    path, index = target
    now = block.path_resolve(path)
    if own := _OWN.fullmatch(path):
        holder = block.path_resolve(own[1]) if own[1] else block
        holder[bpy.utils.unescape_identifier(own[2])] = type(now)(value)
    elif isinstance(now, int | float):
        holder, _, name = path.rpartition(".")
        setattr(block.path_resolve(holder), name, value)
    else:
        now[index] = value


def rest(block: ID, values: Mapping[tuple[str, int], float]) -> None:
    """Give properties that nothing animates any more the values that they had before.

    Blender would leave them as they were last; those that are gone are left out.
    """
    moved = stack.animated(block.animation_data) if block.animation_data else set()
    for target, value in values.items():
        if target not in moved:
            with contextlib.suppress(ValueError):
                put(block, target, value)
