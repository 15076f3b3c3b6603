# SPDX-License-Identifier: GPL-3.0-or-later
"""A subject's classes, and the property group that scenes or objects keep for it, registered together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bpy


def registration(
    classes: Sequence[type], name: str, kind: type[bpy.types.PropertyGroup], owner: type[bpy.types.ID] = bpy.types.Scene
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Functions that register and unregister `classes`, of which `kind` is one, and give each `owner` a `name`."""
    register_classes, unregister_classes = bpy.utils.register_classes_factory(classes)

    def register() -> None:
        register_classes()
        setattr(owner, name, bpy.props.PointerProperty(type=kind))

    def unregister() -> None:
        delattr(owner, name)
        unregister_classes()

    return register, unregister
