# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head: `rigs/demo_head.npz` built into a mesh with materials and the 52 ARKit shape keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from . import demo_head_materials

if TYPE_CHECKING:
    import numpy as np

FILE = Path(__file__).parents[1] / "rigs" / "demo_head.npz"
NAME = "Demo Head"
HAIR_NAME = f"{NAME} Hair"


def build(context: bpy.types.Context) -> bpy.types.Object:
    """A new demo head of natural size at the 3D cursor, selected and active; its chin is 12 cm above the cursor.

    Its hair is a second object, the head's child.
    """
    import numpy as np

    with np.load(FILE, allow_pickle=False) as data:
        head = new_object(context, NAME, head_mesh(data))
        add_shape_keys(head, data)
        new_object(context, HAIR_NAME, hair_mesh(data)).parent = head
    head.location = context.scene.cursor.location
    for other in context.view_layer.objects.selected:
        other.select_set(False)
    head.select_set(True)
    context.view_layer.objects.active = head
    return head


def new_object(context: bpy.types.Context, name: str, mesh: bpy.types.Mesh) -> bpy.types.Object:
    """A mesh in the scene that is smoothed when it is rendered."""
    made = bpy.data.objects.new(name, mesh)
    context.collection.objects.link(made)
    smooth = made.modifiers.new("Subdivision", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 1
    return made


def head_mesh(data: dict) -> bpy.types.Mesh:
    """The neutral head with its materials."""
    mesh = new_mesh(NAME, data["vertices"], data["quads"], data["tint"], data["grain"])
    for name in data["materials"].tolist():
        mesh.materials.append(demo_head_materials.material(name))
    mesh.polygons.foreach_set("material_index", data["material"].astype("int32"))
    return mesh


def hair_mesh(data: dict) -> bpy.types.Mesh:
    """The hair: a mesh of its own, as no shape moves it and it need not be built anew for every frame."""
    mesh = new_mesh(HAIR_NAME, data["hair_vertices"], data["hair_quads"], data["hair_tint"], data["hair_grain"])
    mesh.materials.append(demo_head_materials.material("Hair"))
    return mesh


def new_mesh(name: str, vertices: np.ndarray, quads: np.ndarray, tint: np.ndarray, grain: np.ndarray) -> bpy.types.Mesh:
    """A smooth mesh with a colour and the coordinates of fine texture at each vertex."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], [tuple(dict.fromkeys(corners)) for corners in quads.tolist()])
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    colours = mesh.attributes.new(demo_head_materials.TINT, "FLOAT_COLOR", "POINT")
    colours.data.foreach_set("color", [part for colour in tint.tolist() for part in (*colour, 1.0)])
    texture = mesh.attributes.new(demo_head_materials.GRAIN, "FLOAT_VECTOR", "POINT")
    texture.data.foreach_set("vector", grain.astype("float32").ravel())
    mesh.update()
    return mesh


def add_shape_keys(head: bpy.types.Object, data: dict) -> None:
    """Basis and one key per shape, from 0 to 1."""
    rest = data["vertices"]
    head.shape_key_add(name="Basis", from_mix=False).value = 0.0
    steps, unit = data["steps"], float(data["unit"])
    for name, shape in zip(data["shapes"].tolist(), steps, strict=True):
        key = head.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", (rest + shape * unit).astype("float32").ravel())
        key.value = 0.0  # Blender 5.0 makes new keys at 1


class AddDemoHead(bpy.types.Operator):
    """Add a head with teeth, tongue, eyes and all 52 ARKit shape keys"""

    bl_idname = "mouthpiece.add_demo_head"
    bl_label = "Add Demo Head"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Adding an object needs object mode."""
        return context.mode == "OBJECT"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Build the head."""
        build(context)
        return {"FINISHED"}


def menu_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """The line in Add > Mesh."""
    menu.layout.operator(AddDemoHead.bl_idname, text="Demo Head", icon="USER")


def register() -> None:
    """Make the operator known and put it into Add > Mesh."""
    bpy.utils.register_class(AddDemoHead)
    bpy.types.VIEW3D_MT_mesh_add.append(menu_entry)


def unregister() -> None:
    """Forget the operator."""
    bpy.types.VIEW3D_MT_mesh_add.remove(menu_entry)
    bpy.utils.unregister_class(AddDemoHead)
