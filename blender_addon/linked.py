# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters out of other files: keys on linked data vanish with saving, on a library override they stay.

An override of a character's objects leaves its meshes and their shape keys linked; these need overrides of their own.
"""

from __future__ import annotations

import bpy
from bpy.types import Object, Scene, ViewLayer

from .errors import BadInput
from .rig import family


def is_locked(character: Object) -> bool:
    """Whether shape keys of a character are linked, so that keys on them would be lost."""
    return any(not mesh.data.shape_keys.is_editable for mesh in family.meshes_of(character))


def unlock(character: Object, scene: Scene, layer: ViewLayer) -> Object:
    """Make library overrides of all that needs them; gives the character that can be animated.

    Raises `BadInput` where Blender cannot override it, such as in a file that is itself out of date.
    """
    if not character.is_editable:
        name = character.name
        overridden = character.override_hierarchy_create(scene, layer, do_fully_editable=True)
        if overridden is None:
            raise BadInput(f"Blender cannot make a library override of “{name}”. Link its whole collection instead.")
        character = overridden
    for mesh in family.meshes_of(character):
        if not mesh.data.shape_keys.is_editable:
            _override_mesh(mesh)
    return character


def _override_mesh(thing: Object) -> None:
    """Give an object an override of its mesh, with the shape keys in it."""
    if not thing.is_editable:
        raise BadInput(f"“{thing.name}” is linked too. Link the character's whole collection and override that first.")
    mesh = thing.data.override_create(remap_local_usages=True)
    if mesh is None:
        raise BadInput(f"Blender cannot make a library override of the mesh of “{thing.name}”. Make it local instead.")
    if thing.data != mesh:
        thing.data = mesh


def libraries_of(character: Object) -> list[str]:
    """The files that a character's shape keys are linked from, as the artist knows them."""
    keys = [mesh.data.shape_keys for mesh in family.meshes_of(character)]
    return [*dict.fromkeys(bpy.path.basename(key.library.filepath) for key in keys if key.library)]
