# SPDX-License-Identifier: GPL-3.0-or-later
"""How a model that denoises performs: the artist's choices, kept in the scene."""

from __future__ import annotations

import bpy
from bpy.types import Context

from .. import fields
from ..performing import options as performing
from .registration import registration
from .searches import strip_names

STYLES = (
    ("identity", "Identity", "In the style that is chosen above"),
    ("strip", "Sound Strip", "In the style of the voice in another strip"),
    ("file", "Sound File", "In the style of the voice in a sound file"),
)
WAYS = (
    ("nearest", "Nearest Identity", "As the model's identity that sounds most like the recording"),
    ("heard", "As Heard", "As the recording itself is heard"),
)
LARGEST_SEED = 2**31 - 1 - 64
"""Blender keeps no larger numbers, and every take has the next seed."""


class PerformanceSettings(bpy.types.PropertyGroup):
    """One scene's choices."""

    takes: bpy.props.IntProperty(
        name="Takes",
        description="Performances of the same sound to choose from, each in an action of its own",
        default=1,
        min=1,
        soft_max=8,
        max=64,
    )
    seed: bpy.props.IntProperty(
        name="Seed",
        description="The first take's number, the next take has the next: the same number gives the same performance",
        min=0,
        max=LARGEST_SEED,
    )
    steps: bpy.props.IntProperty(
        name="Steps",
        description="Denoising steps: more take longer. 0: as many as the model was made for",
        min=0,
        soft_max=64,
        max=10000,
    )
    guidance: bpy.props.FloatProperty(
        name="Guidance",
        description="How far the motion follows the speech; 1 is as it was learned",
        default=1.0,
        min=0.0,
        soft_max=3.0,
        max=10.0,
    )
    style: bpy.props.EnumProperty(name="Style From", description="In whose style is spoken", items=STYLES)
    style_strip: fields.text("Strip", "A sound strip with the voice in whose style is spoken", strip_names)
    style_file: fields.file("Recording", "A sound file with the voice in whose style is spoken")
    style_as: bpy.props.EnumProperty(name="Taken As", description="What the recording stands for", items=WAYS)

    @property
    def recording(self) -> str:
        """The strip or file in whose style is spoken; empty where it is the identity's."""
        return {"strip": self.style_strip, "file": self.style_file}.get(self.style, "")


def options(context: Context) -> performing.PerformanceOptions:
    """The scene's choices; what the model cannot do is left out of them, for they stay when another one is chosen."""
    chosen = context.scene.mouthpiece_performance
    return performing.PerformanceOptions(
        steps=chosen.steps,
        seed=chosen.seed,
        takes=chosen.takes,
        guidance=chosen.guidance,
        style_from=chosen.recording,
        style_as=performing.StyleAs(chosen.style_as),
        keyed=True,
        where_possible=True,
    )


class NewSeed(bpy.types.Operator):
    """Another seed, and with it other takes"""

    bl_idname = "mouthpiece.new_seed"
    bl_label = "New Seed"
    bl_options = {"UNDO", "INTERNAL"}

    def execute(self, context: Context) -> set[str]:
        """Draw one."""
        import secrets  # here and not at the top: Blender would start later for it

        context.scene.mouthpiece_performance.seed = secrets.randbelow(1_000_000)
        return {"FINISHED"}


CLASSES = (PerformanceSettings, NewSeed)

register, unregister = registration(CLASSES, "mouthpiece_performance", PerformanceSettings)
