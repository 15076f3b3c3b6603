# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head: `rigs/demo_head.npz` built into a mesh with materials and the 52 ARKit shape keys."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import demo_head_materials

FILE = Path(__file__).parents[1] / "rigs" / "demo_head.npz"
NAME = "Demo Head"


def build(context: bpy.types.Context) -> bpy.types.Object:
    """A new demo head of natural size at the 3D cursor, selected and active; its chin is 12 cm above the cursor."""
    import numpy as np

    with np.load(FILE, allow_pickle=False) as data:
        mesh = new_mesh(data)
        head = bpy.data.objects.new(NAME, mesh)
        context.collection.objects.link(head)
        add_shape_keys(head, data)
    smooth = head.modifiers.new("Subdivision", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 1
    head.location = context.scene.cursor.location
    for other in context.view_layer.objects.selected:
        other.select_set(False)
    head.select_set(True)
    context.view_layer.objects.active = head
    return head


def new_mesh(data: dict) -> bpy.types.Mesh:
    """The neutral mesh with its materials and the skin's colour."""
    mesh = bpy.data.meshes.new(NAME)
    faces = [tuple(dict.fromkeys(corners)) for corners in data["quads"].tolist()]
    mesh.from_pydata(data["vertices"].tolist(), [], faces)
    for name in data["materials"].tolist():
        mesh.materials.append(demo_head_materials.material(name))
    mesh.polygons.foreach_set("material_index", data["material"].astype("int32"))
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    tint = mesh.attributes.new(demo_head_materials.TINT, "FLOAT_COLOR", "POINT")
    tint.data.foreach_set("color", [part for colour in data["tint"].tolist() for part in (*colour, 1.0)])
    grain = mesh.attributes.new(demo_head_materials.GRAIN, "FLOAT_VECTOR", "POINT")
    grain.data.foreach_set("vector", data["grain"].astype("float32").ravel())
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
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads a plain set)

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
