# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a character can keep a mesh's motion, asked before anything is made."""

from __future__ import annotations

from bpy.types import Object

from ..errors import BadInput
from ..writing import owner


def check(character: Object) -> None:
    """Raises `BadInput` where a motion could not be written, seen or saved."""
    mesh = character.data
    if character.type != "MESH":
        raise BadInput(f"“{character.name}” is no mesh. This model moves a whole mesh; choose one, or another model.")
    if not character.is_editable or not mesh.is_editable:
        raise BadInput(
            f"“{character.name}” is linked from another file. Make it and its mesh a library override first."
        )
    owner.check_not_tweaked(character, character.name)
    if mesh.shape_keys:
        owner.check_not_tweaked(mesh.shape_keys, character.name)
