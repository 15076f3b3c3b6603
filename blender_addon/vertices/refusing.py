# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a character can keep a mesh's motion, asked before anything is made."""

from __future__ import annotations

from bpy.types import Object

from ..errors import BadInput
from ..writing import owner
from .options import Keeping


def check(character: Object, keeping: Keeping) -> None:
    """Raises `BadInput` where a motion kept in that form could not be written, seen or saved."""
    mesh = character.data
    if character.type != "MESH":
        raise BadInput(f"“{character.name}” is no mesh. This model moves a whole mesh; choose one, or another model.")
    if keeping is Keeping.SHAPES:
        _check_shapes(character)
    if not character.is_editable or not mesh.is_editable:
        raise BadInput(
            f"“{character.name}” is linked from another file. Make it and its mesh a library override first."
        )
    owner.check_not_tweaked(character, character.name)
    if mesh.shape_keys:
        owner.check_not_tweaked(mesh.shape_keys, character.name)


def _check_shapes(character: Object) -> None:
    """An override takes new shape keys, but Blender does not save them."""
    mesh = character.data
    if mesh.override_library or not mesh.is_editable:
        raise BadInput(
            f"The mesh of “{character.name}” comes from another file, so new shape keys on it would be lost. "
            "Choose Point Cache, or make the mesh local."
        )
    if mesh.shape_keys:
        owner.shape_keys_of(character)
