# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of fields that the artist fills in, which several property groups have."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import bpy

Search = Callable[[bpy.types.bpy_struct, bpy.types.Context, str], Iterable[str]]
"""What offers names while one is typed."""
MOST_STRENGTH = 10.0
"""The same as of `writing.options`, which Blender starts without."""


def text(name: str, description: str, search: Search | None = None) -> object:
    """A line of text; with `search`, one that offers names."""
    searching = {} if search is None else {"search": search}
    return bpy.props.StringProperty(name=name, description=description, **searching)


def file(name: str, description: str) -> object:
    """The path of a file."""
    return bpy.props.StringProperty(name=name, description=description, subtype="FILE_PATH")


def folder(name: str, description: str, default: str = "") -> object:
    """The path of a folder."""
    return bpy.props.StringProperty(name=name, description=description, default=default, subtype="DIR_PATH")


def strength(name: str, description: str) -> object:
    """A factor of which 1 is what the model gives."""
    return bpy.props.FloatProperty(
        name=name, description=description, default=1.0, min=0.0, soft_max=2.0, max=MOST_STRENGTH, subtype="FACTOR"
    )
