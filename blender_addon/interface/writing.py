# SPDX-License-Identifier: GPL-3.0-or-later
"""How keys are written: the artist's choices, kept in the scene, and their sub-panel."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from .. import fields, session
from ..writing import options as writing
from ..writing.regions import REGIONS
from .registration import registration
from .sidebar import Tab, in_both_sidebars

MODES = (
    ("new", "New Action", "Into an action of its own. Your action makes room, and plays on below it in the NLA"),
    ("replace", "Replace in Range", "Into your own action: only keys of the face within the strip's frames change"),
    ("nla", "NLA Track", "Into an NLA track of its own on top, where no active action covers it"),
)
KEYS = (
    ("every", "Every Frame", "A key on every frame, exactly what the model gives"),
    ("few", "Few Keys", "Bezier keys only where they are needed, to edit by hand"),
    ("held", "Held Poses", "Poses held for some frames each, as in stop motion"),
)
TITLES = {"mouth": "Mouth", "jaw": "Jaw", "tongue": "Tongue", "brows": "Brows", "eyes": "Eyes", "blinks": "Blinks"}
REGION_ITEMS = [(region, TITLES[region], "", 1 << number) for number, region in enumerate(REGIONS)]


def _strength(region: str) -> object:
    return fields.strength(TITLES[region], "How much of this region's motion is written; 1 is what the model gives")


class WritingSettings(bpy.types.PropertyGroup):
    """One scene's way of writing keys."""

    mode: bpy.props.EnumProperty(name="Write To", description="Where the keys go", items=MODES)
    blend: bpy.props.IntProperty(
        name="Blend",
        description="Frames at each end over which the speech passes into the animation around it",
        min=0,
        soft_max=12,
        max=250,
    )
    keys: bpy.props.EnumProperty(name="Keys", description="How many keys are written, and of which kind", items=KEYS)
    tolerance: bpy.props.FloatProperty(
        name="Tolerance",
        description="How far the curve may be from the model's value on any frame",
        default=0.01,
        min=0.0005,
        soft_max=0.1,
        max=1.0,
        precision=3,
    )
    step: bpy.props.IntProperty(
        name="Frames Each", description="For how many frames a pose is held", default=2, min=2, soft_max=6, max=24
    )
    smoothing: bpy.props.FloatProperty(
        name="Smoothing",
        description="Frames over which the curves are smoothed. Lips that meet shortly are the first to suffer",
        min=0.0,
        soft_max=4.0,
        max=50.0,
        precision=1,
    )
    regions: bpy.props.EnumProperty(
        name="Regions",
        description="The parts of the face that are written; your animation of the others stays",
        items=REGION_ITEMS,
        options={"ENUM_FLAG"},
        default=set(REGIONS),
    )
    mouth: _strength("mouth")
    jaw: _strength("jaw")
    tongue: _strength("tongue")
    brows: _strength("brows")
    eyes: _strength("eyes")
    blinks: _strength("blinks")
    add_blinks: bpy.props.BoolProperty(name="Add Blinks", description="Let the eyes blink now and then")
    add_darts: bpy.props.BoolProperty(name="Add Eye Darts", description="Let the eyes look elsewhere now and then")
    seed: bpy.props.IntProperty(name="Seed", description="Another number gives other blinks and darts", min=0)
    beside: bpy.props.BoolProperty(
        name="Keep Earlier as Take",
        description="What was generated for the strip before stays as a take, to be compared with the new one",
    )


def options(context: Context) -> writing.WritingOptions:
    """The scene's choices."""
    chosen = context.scene.mouthpiece_writing
    return writing.WritingOptions(
        mode=writing.Mode(chosen.mode),
        blend=chosen.blend,
        smoothing=chosen.smoothing,
        tolerance=chosen.tolerance if chosen.keys == "few" else 0.0,
        step=chosen.step if chosen.keys == "held" else 1,
        regions={region: getattr(chosen, region) for region in REGIONS if region in chosen.regions},
        blinks=chosen.add_blinks,
        darts=chosen.add_darts,
        seed=chosen.seed,
        beside=chosen.beside and chosen.mode != writing.Mode.REPLACE,
    )


class WritingTab(Tab):
    """What both sidebars show below the button."""

    bl_label = "Keys"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Where to, how, and which parts of the face."""
        layout, chosen = self.form(), context.scene.mouthpiece_writing
        layout.enabled = not session.current.busy
        layout.prop(chosen, "mode")
        earlier = layout.row()
        earlier.active = chosen.mode != writing.Mode.REPLACE
        earlier.prop(chosen, "beside")
        layout.prop(chosen, "blend")
        column = layout.column(align=True)
        column.prop(chosen, "keys")
        if chosen.keys != "every":
            column.prop(chosen, "tolerance" if chosen.keys == "few" else "step")
        layout.prop(chosen, "smoothing")
        _draw_regions(layout, chosen)
        _draw_eyes(layout, chosen)


def _draw_regions(layout: UILayout, chosen: WritingSettings) -> None:
    """A switch and a strength for each region."""
    column = layout.column(align=True)
    column.use_property_split = False
    column.label(text="Regions and their strengths")
    for region in REGIONS:
        row = column.split(factor=0.5, align=True)
        row.prop_enum(chosen, "regions", region)
        strength = row.row(align=True)
        strength.active = region in chosen.regions
        strength.prop(chosen, region, text="", slider=True)


def _draw_eyes(layout: UILayout, chosen: WritingSettings) -> None:
    column = layout.column(heading="Eyes")
    column.prop(chosen, "add_blinks")
    column.prop(chosen, "add_darts")
    if chosen.add_blinks or chosen.add_darts:
        column.prop(chosen, "seed")


WritingInViewport, WritingInSequencer = in_both_sidebars(WritingTab, "writing")


CLASSES = (WritingSettings, WritingInViewport, WritingInSequencer)


register, unregister = registration(CLASSES, "mouthpiece_writing", WritingSettings)
