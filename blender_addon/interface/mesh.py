# SPDX-License-Identifier: GPL-3.0-or-later
"""How the motion of a whole mesh is kept: the artist's choices, kept in the scene, and their sub-panel."""

from __future__ import annotations

import bpy
from bpy.types import Context

from .. import fields, session
from ..vertices import options as vertices
from .registration import registration
from .sidebar import Tab, in_both_sidebars

WAYS = (
    ("cache", "Point Cache", "A PC2 file beside the .blend, exact, played by a modifier that one curve retimes"),
    ("shapes", "Shape Keys", "A few shape keys of its own with a curve each; they stay in the .blend and go to glTF"),
)


class MeshSettings(bpy.types.PropertyGroup):
    """One scene's way of keeping a mesh's motion."""

    keeping: bpy.props.EnumProperty(name="Keep As", description="In what form a mesh remembers its motion", items=WAYS)
    folder: fields.folder(
        "Folder", "Where point caches go. // stands for the folder of the .blend", default="//mouthpiece cache"
    )
    tolerance: bpy.props.FloatProperty(
        name="Tolerance",
        description="How far any vertex may be from its place, as a share of the mesh's largest dimension",
        default=0.0002,
        min=1e-6,
        max=0.1,
        precision=5,
        step=0.01,
    )


def options(context: Context) -> vertices.MeshOptions:
    """The scene's choices."""
    chosen = context.scene.mouthpiece_mesh
    return vertices.MeshOptions(vertices.Keeping(chosen.keeping), chosen.folder, chosen.tolerance)


def is_known_to_move_meshes(model: str, space: str) -> bool:
    """Whether the backend has told that this model, in this space or its first one, moves a whole mesh."""
    known = session.current.models
    return any(one.name == model and (space or one.spaces[0]) in one.meshes for one in known)


class MeshTab(Tab):
    """What both sidebars show below the button where the model moves a whole mesh."""

    bl_label = "Mesh"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only for models that move one."""
        chosen = context.scene.mouthpiece
        return is_known_to_move_meshes(chosen.model, chosen.space)

    def draw(self, context: Context) -> None:
        """In what form, and where or how exactly."""
        layout, chosen = self.form(), context.scene.mouthpiece_mesh
        layout.enabled = not session.current.busy
        layout.prop(chosen, "keeping")
        layout.prop(chosen, "folder" if chosen.keeping == vertices.Keeping.CACHE else "tolerance")


MeshInViewport, MeshInSequencer = in_both_sidebars(MeshTab, "mesh")


CLASSES = (MeshSettings, MeshInViewport, MeshInSequencer)


register, unregister = registration(CLASSES, "mouthpiece_mesh", MeshSettings)
