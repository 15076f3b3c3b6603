# SPDX-License-Identifier: GPL-3.0-or-later
"""How the motion of a whole mesh is kept: the artist's choices, kept in the scene, and their sub-panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, UILayout

from .. import session
from ..vertices.options import Keeping, MeshOptions

WAYS = (
    ("cache", "Point Cache", "A PC2 file beside the .blend, exact, played by a modifier that one curve retimes"),
    ("shapes", "Shape Keys", "A few shape keys of its own with a curve each; they stay in the .blend and go to glTF"),
)
DEFAULT = MeshOptions()


class MeshSettings(bpy.types.PropertyGroup):
    """One scene's way of keeping a mesh's motion."""

    keeping: bpy.props.EnumProperty(name="Keep As", description="In what form a mesh remembers its motion", items=WAYS)
    folder: bpy.props.StringProperty(
        name="Folder",
        description="Where point caches go. // stands for the folder of the .blend",
        default=DEFAULT.folder,
        subtype="DIR_PATH",
    )
    tolerance: bpy.props.FloatProperty(
        name="Tolerance",
        description="How far any vertex may be from its place, as a share of the mesh's largest dimension",
        default=DEFAULT.tolerance,
        min=1e-6,
        max=0.1,
        precision=5,
        step=0.01,
    )


def options(context: Context) -> MeshOptions:
    """The scene's choices."""
    chosen = context.scene.mouthpiece_mesh
    return MeshOptions(Keeping(chosen.keeping), chosen.folder, chosen.tolerance)


def is_known_to_move_meshes(model: str, space: str) -> bool:
    """Whether the backend has told that this model, in this space or its first one, moves a whole mesh."""
    models = session.current.ready.models if session.current.ready else ()
    return any(one.name == model and (space or one.spaces[0]) in one.meshes for one in models)


class MeshTab:
    """What both sidebars show below the button where the model moves a whole mesh."""

    bl_label = "Mesh"
    bl_category = "Mouthpiece"
    bl_region_type = "UI"

    if TYPE_CHECKING:
        layout: UILayout

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only for models that move one."""
        chosen = context.scene.mouthpiece
        return is_known_to_move_meshes(chosen.model, chosen.space)

    def draw(self, context: Context) -> None:
        """In what form, and where or how exactly."""
        layout, chosen = self.layout, context.scene.mouthpiece_mesh
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not session.current.busy
        layout.prop(chosen, "keeping")
        layout.prop(chosen, "folder" if chosen.keeping == Keeping.CACHE else "tolerance")


class MeshInViewport(MeshTab, bpy.types.Panel):
    """In the sidebar of the 3D viewport."""

    bl_idname = "VIEW3D_PT_mouthpiece_mesh"
    bl_parent_id = "VIEW3D_PT_mouthpiece"
    bl_space_type = "VIEW_3D"


class MeshInSequencer(MeshTab, bpy.types.Panel):
    """In the sidebar of the Sequencer."""

    bl_idname = "SEQUENCER_PT_mouthpiece_mesh"
    bl_parent_id = "SEQUENCER_PT_mouthpiece"
    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (MeshSettings, MeshInViewport, MeshInSequencer)


def register() -> None:
    """Give every scene its choices, and both sidebars the sub-panel."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.types.Scene.mouthpiece_mesh = bpy.props.PointerProperty(type=MeshSettings)


def unregister() -> None:
    """Take them away."""
    del bpy.types.Scene.mouthpiece_mesh
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
