# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig Mapping: what the character was recognised as, and the list in which the artist corrects it."""

from __future__ import annotations

import bpy
from bpy.types import Context, Object, UILayout

from ..errors import BadInput, MouthpieceError
from ..rig import face, mapping, profile
from . import properties
from .buttons import AtOnce
from .registration import registration
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence

KINDS = {"shape keys": "SHAPEKEY_DATA", "properties": "PROPERTIES", "poses": "ARMATURE_DATA", "bones": "BONE_DATA"}
"""An icon for each kind of part."""
CARRIED = "mouthpiece_rig"
"""`face.PROPERTY`, which is not asked for while Blender starts."""
OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}
"""What can be changed on a library override."""


def character_of(context: Context) -> Object | None:
    """The character that the panels speak of."""
    return bpy.data.objects.get(properties.character_name(context))


def _names_of(row: MappingRow, _context: Context, _typed: str) -> list[str]:
    names = face.candidates(row.id_data)
    return [*names.values, *names.bones, *names.poses]


def _remember(row: MappingRow, _context: Context) -> None:
    """Have the character carry what the list shows."""
    character, carried = row.id_data, face.remembered(row.id_data)
    if carried and not character.mouthpiece_mapping.is_being_filled:
        lines = [mapping.Line(one.name, one.shown_by, one.gain, one.is_on) for one in character.mouthpiece_mapping.rows]
        mapping.remember(character, mapping.chosen(character, carried, lines))


class MappingRow(bpy.types.PropertyGroup):
    """One control of the convention; its inherited `name` is the convention's."""

    shown_by: bpy.props.StringProperty(
        name="Shown By",
        description="What shows this control on the character: a shape key, a property, a bone or a pose",
        search=_names_of,
        update=_remember,
        override=OVERRIDABLE,
    )
    is_on: bpy.props.BoolProperty(
        name="Animate",
        description="Whether this control gets keys",
        default=True,
        update=_remember,
        override=OVERRIDABLE,
    )
    gain: bpy.props.FloatProperty(
        name="Weight",
        description="How much it moves; 1 is what the profile says",
        default=1.0,
        soft_min=0.0,
        soft_max=2.0,
        min=-10.0,
        max=10.0,
        update=_remember,
        override=OVERRIDABLE,
    )


class RigMapping(bpy.types.PropertyGroup):
    """A character's list; the profile itself lies on the character, as library overrides forget groups."""

    rows: bpy.props.CollectionProperty(type=MappingRow, override=OVERRIDABLE | {"USE_INSERTION"})
    active: bpy.props.IntProperty(name="Active Control", override=OVERRIDABLE)
    is_being_filled: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})


def fill(character: Object, chosen: profile.RigProfile) -> None:
    """Have a character carry a profile, and its list show it."""
    lines = mapping.lines_of(character, chosen)
    mapping.remember(character, mapping.chosen(character, chosen, lines))
    shown = character.mouthpiece_mapping
    shown.is_being_filled = True
    shown.rows.clear()
    for line in lines:
        row = shown.rows.add()
        row.name, row.shown_by, row.gain, row.is_on = line.control, line.name, line.gain, line.is_on
    shown.is_being_filled = False


class ChooseRig(AtOnce, bpy.types.Operator):
    """Say what kind of rig the character has, and correct name by name what shows its controls"""

    bl_idname = "mouthpiece.choose_rig"
    bl_label = "Map by Hand"
    bl_options = {"REGISTER", "UNDO"}

    convention: bpy.props.StringProperty(name="Convention", description="A rig profile's id", options={"SKIP_SAVE"})

    def act(self, context: Context) -> str:
        """Take the named convention, or the one that is there."""
        character = character_of(context)
        if character is None:
            raise BadInput("Select the character, or choose it above.")
        fill(character, profile.shipped(self.convention) if self.convention else present(character))
        return ""


def present(character: Object) -> profile.RigProfile:
    """What a character carries or was recognised as; ARKit where it is a stranger."""
    try:
        return face.remembered(character) or face.face_of(character).match.profile
    except BadInput:
        return profile.shipped("arkit")


class RecogniseRig(AtOnce, bpy.types.Operator):
    """Forget the names chosen by hand; the character is recognised by its names again"""

    bl_idname = "mouthpiece.recognise_rig"
    bl_label = "Recognise Again"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: Context) -> str:
        """Only where something was chosen."""
        character = character_of(context)
        return "" if character and face.carried(character) else "No names were chosen by hand."

    def act(self, context: Context) -> str:
        """Forget it."""
        if character := character_of(context):
            mapping.forget(character)
            character.mouthpiece_mapping.rows.clear()
        return ""


class RigConventionMenu(bpy.types.Menu):
    """All rig conventions that Mouthpiece knows"""

    bl_idname = "MOUTHPIECE_MT_rig_conventions"
    bl_label = "Rig Convention"

    def draw(self, _context: Context) -> None:
        """One line each."""
        for one in profile.profiles():
            self.layout.operator("mouthpiece.choose_rig", text=one.title).convention = one.id


class ControlList(bpy.types.UIList):
    """Controls and what shows them; its search field looks for both, the eye beside it hides those that are shown"""

    bl_idname = "MOUTHPIECE_UL_mapping"

    only_open: bpy.props.BoolProperty(name="Only Open", description="Only controls that nothing shows yet")

    def draw_filter(self, _context: Context, layout: UILayout) -> None:
        """The search field, and the button beside it."""
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="", icon="VIEWZOOM")
        row.prop(self, "only_open", text="", icon="HIDE_OFF")

    def filter_items(self, _context: Context, data: RigMapping, prop: str) -> tuple[list[int], list[int]]:
        """Which rows are shown, as Blender's flags; their order stays."""
        typed = self.filter_name.casefold()
        rows = getattr(data, prop)
        wanted = [
            typed in f"{row.name} {row.shown_by}".casefold() and not (self.only_open and row.shown_by) for row in rows
        ]
        return [self.bitflag_filter_item if one else 0 for one in wanted], []

    def draw_item(  # Blender counts the arguments
        self,
        _context: Context,
        layout: UILayout,
        _data: RigMapping,
        item: MappingRow,
        _icon: int,
        _active_data: RigMapping,
        _active_property: str,
    ) -> None:
        """On or off, the convention's name, the character's name."""
        row = layout.row(align=True)
        row.prop(item, "is_on", text="")
        columns = row.split(factor=0.55, align=True)
        columns.active = item.is_on
        columns.label(text=item.name)
        columns.prop(item, "shown_by", text="", placeholder="nothing")


class RigMappingTab(Tab):
    """What both sidebars show about the rig."""

    bl_label = "Rig Mapping"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only with a character."""
        return character_of(context) is not None

    def draw(self, context: Context) -> None:
        """What it is taken for, its parts, the list, the files."""
        character = character_of(context)
        if character is not None:
            _draw_face(self.layout, context, character)
            _draw_list(self.layout, character)
            files = self.layout.row(align=True)
            files.operator("mouthpiece.load_rig_profile", icon="IMPORT")
            files.operator("mouthpiece.save_rig_profile", icon="EXPORT")


def _draw_face(layout: UILayout, context: Context, character: Object) -> None:
    try:
        found = face.face_of(character)
    except MouthpieceError as problem:
        draw_sentence(layout, context, str(problem), "INFO")
        return
    told = (f"{found.match.summary}.",) if face.carried(character) else found.match.sentences  # the list shows the rest
    for number, sentence in enumerate(told):
        draw_sentence(layout, context, sentence, "INFO" if number else "CHECKMARK")
    parts = layout.column(align=True)
    parts.scale_y = 0.8
    for part in found.parts:
        parts.label(text=f"{part.thing.name}: {len(part.found)} {part.kind}", icon=KINDS[part.kind])


def _draw_list(layout: UILayout, character: Object) -> None:
    shown, is_carried = character.mouthpiece_mapping, bool(face.carried(character))
    buttons = layout.row(align=True)
    buttons.menu(RigConventionMenu.bl_idname, icon="OUTLINER_OB_ARMATURE")
    if is_carried:
        buttons.operator("mouthpiece.recognise_rig", text="", icon="LOOP_BACK")
    if is_carried and shown.rows:
        layout.template_list(ControlList.bl_idname, "", shown, "rows", shown, "active", rows=8)
        row = shown.rows[min(shown.active, len(shown.rows) - 1)]
        detail = layout.column(align=True)
        detail.prop(row, "shown_by", text="", placeholder=f"What shows {row.name}?")
        detail.prop(row, "gain", slider=True)
    else:
        layout.operator("mouthpiece.choose_rig", icon="GREASEPENCIL")


RigMappingInViewport, RigMappingInSequencer = in_both_sidebars(RigMappingTab, "mapping")


CLASSES = (
    MappingRow,
    RigMapping,
    ChooseRig,
    RecogniseRig,
    RigConventionMenu,
    ControlList,
    RigMappingInViewport,
    RigMappingInSequencer,
)
_register, _unregister = registration(CLASSES, "mouthpiece_mapping", RigMapping, Object)


def register() -> None:
    """Give every object its list, and what it carries, which library overrides keep."""
    _register()
    setattr(Object, CARRIED, bpy.props.StringProperty(options={"HIDDEN"}, override=OVERRIDABLE))


def unregister() -> None:
    """Take them away."""
    delattr(Object, CARRIED)
    _unregister()
