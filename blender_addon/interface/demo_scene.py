# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Demo Scene: something to click Generate on, for whoever has neither a strip nor a character at hand."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from .. import audio, compat, demo_scene
from .buttons import AtOnce


class OpenDemoScene(AtOnce, bpy.types.Operator):
    """Open a new scene with a head and a spoken line in it, ready to generate; the scenes that are there stay"""

    bl_idname = "mouthpiece.open_demo_scene"
    bl_label = "Open Demo Scene"
    bl_options = {"UNDO"}
    waits = True

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Not in the middle of editing something."""
        return "" if context.mode == "OBJECT" else "Leave the mode first that you edit in (Tab)."

    def act(self, context: Context) -> str:
        """Build the scene and show it through its camera."""
        scene = demo_scene.build(context)
        if context.window:
            compat.show_scene(context.window, scene)
            _look_through_camera(context)
        return ""


def _look_through_camera(context: Context) -> None:
    for area in context.window.screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.region_3d.view_perspective = "CAMERA"
            region = next(region for region in area.regions if region.type == "WINDOW")
            with context.temp_override(area=area, region=region):
                bpy.ops.view3d.view_center_camera()


def draw(layout: UILayout, context: Context) -> None:
    """The button, where the scene has nothing to speak."""
    if not audio.sound_strips(compat.sequencer_scene(context)):
        layout.operator("mouthpiece.open_demo_scene", icon="SCENE_DATA")


register, unregister = bpy.utils.register_classes_factory((OpenDemoScene,))
