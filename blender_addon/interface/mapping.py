# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig Mapping: what the character was recognised as, and the list in which the artist corrects it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Event, Object, UILayout

from ..errors import BadInput, MouthpieceError
from ..rig import mapping, profile
from ..rig.face import PROPERTY, Face, candidates, face_of, remembered
from ..rig.mapping import Line
from ..rig.profile import RigProfile
from . import properties
from .text import draw_sentence

KINDS = {"shape keys": "SHAPEKEY_DATA", "properties": "PROPERTIES", "poses": "ARMATURE_DATA", "bones": "BONE_DATA"}
"""An icon for each kind of part."""


def _character(context: Context) -> Object | None:
    return bpy.data.objects.get(properties.character_name(context))


def _names_of(row: MappingRow, _context: Context, _typed: str) -> list[str]:
    names = candidates(row.id_data)
    return [*names.values, *names.bones, *names.poses]


def _remember(row: MappingRow, _context: Context) -> None:
    """Have the character carry what the list shows."""
    character, carried = row.id_data, remembered(row.id_data)
    if carried and not character.mouthpiece_mapping.is_being_filled:
        lines = [Line(one.name, one.shown_by, one.gain, one.is_on) for one in character.mouthpiece_mapping.rows]
        mapping.remember(character, mapping.chosen(character, carried, lines))


class MappingRow(bpy.types.PropertyGroup):
    """One control of the convention; its inherited `name` is the convention's."""

    shown_by: bpy.props.StringProperty(
        name="Shown By",
        description="What shows this control on the character: a shape key, a property, a bone or a pose",
        search=_names_of,
        update=_remember,
    )
    is_on: bpy.props.BoolProperty(
        name="Animate", description="Whether this control gets keys", default=True, update=_remember
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
    )


class RigMapping(bpy.types.PropertyGroup):
    """A character's list; the profile itself lies on the character as a custom property."""

    rows: bpy.props.CollectionProperty(type=MappingRow)
    active: bpy.props.IntProperty(name="Active Control")
    is_being_filled: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})


def _fill(character: Object, chosen: RigProfile) -> None:
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


class ChooseRig(bpy.types.Operator):
    """Say what kind of rig the character has, and correct name by name what shows its controls"""

    bl_idname = "mouthpiece.choose_rig"
    bl_label = "Map by Hand"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads a set here)

    convention: bpy.props.StringProperty(name="Convention", description="A rig profile's id", options={"SKIP_SAVE"})

    def execute(self, context: Context) -> set[str]:
        """Take the named convention, or the one that is there."""
        character = _character(context)
        try:
            if character is None:
                raise BadInput("Select the character, or choose it above.")
            _fill(character, profile.shipped(self.convention) if self.convention else _present(character))
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


def _present(character: Object) -> RigProfile:
    """What a character carries or was recognised as; ARKit where it is a stranger."""
    try:
        return remembered(character) or face_of(character).match.profile
    except BadInput:
        return profile.shipped("arkit")


class RecogniseRig(bpy.types.Operator):
    """Forget the names chosen by hand; the character is recognised by its names again"""

    bl_idname = "mouthpiece.recognise_rig"
    bl_label = "Recognise Again"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only where something was chosen."""
        character = _character(context)
        return character is not None and PROPERTY in character

    def execute(self, context: Context) -> set[str]:
        """Forget it."""
        character = _character(context)
        mapping.forget(character)
        character.mouthpiece_mapping.rows.clear()
        return {"FINISHED"}


class _ProfileFile:
    """What saving and loading have in common: a dialog for a .json file."""

    filename_ext = ".json"
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only with a character."""
        return _character(context) is not None

    def invoke(self, context: Context, _event: Event) -> set[str]:
        """Ask for the file."""
        if not self.filepath:
            self.filepath = f"{properties.character_name(context)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[str]:
        """Do it, or say why not."""
        try:
            self.report({"INFO"}, self.go(_character(context), Path(bpy.path.ensure_ext(self.filepath, ".json"))))
        except MouthpieceError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


class SaveRigProfile(_ProfileFile, bpy.types.Operator):
    """Save the character's rig profile, for other shots and for the command line"""

    bl_idname = "mouthpiece.save_rig_profile"
    bl_label = "Save Profile"

    def go(self, character: Object, path: Path) -> str:
        """Write it."""
        carried = remembered(character)
        lines = mapping.lines_of(character, _present(character))
        mapping.save(carried or mapping.chosen(character, _present(character), lines), path)
        return f"Saved {path.name}."


class LoadRigProfile(_ProfileFile, bpy.types.Operator):
    """Load a rig profile and have the character carry it"""

    bl_idname = "mouthpiece.load_rig_profile"
    bl_label = "Load Profile"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def go(self, character: Object, path: Path) -> str:
        """Read it, and see what of it the character has."""
        loaded = profile.load(path)
        face = face_of(character, loaded)
        _fill(character, loaded)
        return face.match.sentences[0]


class RigConventionMenu(bpy.types.Menu):
    """All rig conventions that Mouthpiece knows"""

    bl_idname = "MOUTHPIECE_MT_rig_conventions"
    bl_label = "Rig Convention"

    def draw(self, _context: Context) -> None:
        """One line each."""
        for one in profile.profiles():
            self.layout.operator("mouthpiece.choose_rig", text=one.title).convention = one.id


class MOUTHPIECE_UL_mapping(bpy.types.UIList):
    """Controls, and what shows them"""

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
        """On or off, the convention's name, the character's name, the weight."""
        row = layout.row(align=True)
        row.prop(item, "is_on", text="")
        columns = row.split(factor=0.42, align=True)
        columns.active = item.is_on
        columns.label(text=item.name)
        columns = columns.split(factor=0.72, align=True)
        columns.prop(item, "shown_by", text="", placeholder="nothing")
        columns.prop(item, "gain", text="")


class RigMappingPanel:
    """What both sidebars show about the rig."""

    bl_label = "Rig Mapping"
    bl_category = "Mouthpiece"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    if TYPE_CHECKING:
        layout: UILayout

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only with a character."""
        return _character(context) is not None

    def draw(self, context: Context) -> None:
        """What it is taken for, its parts, the list."""
        character = _character(context)
        layout, rows = self.layout, character.mouthpiece_mapping.rows
        try:
            face = face_of(character)
            _draw_face(layout, context, face)
        except MouthpieceError as problem:
            draw_sentence(layout, context, str(problem), "INFO")
        is_carried = PROPERTY in character
        buttons = layout.row(align=True)
        buttons.menu(RigConventionMenu.bl_idname, icon="OUTLINER_OB_ARMATURE")
        if is_carried:
            buttons.operator("mouthpiece.recognise_rig", text="", icon="LOOP_BACK")
        if is_carried and rows:
            layout.template_list(
                "MOUTHPIECE_UL_mapping",
                "",
                character.mouthpiece_mapping,
                "rows",
                character.mouthpiece_mapping,
                "active",
            )
        else:
            layout.operator("mouthpiece.choose_rig", icon="GREASEPENCIL")
        files = layout.row(align=True)
        files.operator("mouthpiece.load_rig_profile", icon="IMPORT")
        files.operator("mouthpiece.save_rig_profile", icon="EXPORT")


def _draw_face(layout: UILayout, context: Context, face: Face) -> None:
    for number, sentence in enumerate(face.match.sentences):
        draw_sentence(layout, context, sentence, "INFO" if number else "CHECKMARK")
    parts = layout.column(align=True)
    parts.scale_y = 0.8
    for part in face.parts:
        parts.label(text=f"{part.thing.name}: {len(part.found)} {part.kind}", icon=KINDS[part.kind])


class RigMappingInViewport(RigMappingPanel, bpy.types.Panel):
    """In the sidebar of the 3D viewport."""

    bl_idname = "VIEW3D_PT_mouthpiece_mapping"
    bl_parent_id = "VIEW3D_PT_mouthpiece"
    bl_space_type = "VIEW_3D"


class RigMappingInSequencer(RigMappingPanel, bpy.types.Panel):
    """In the sidebar of the Sequencer."""

    bl_idname = "SEQUENCER_PT_mouthpiece_mapping"
    bl_parent_id = "SEQUENCER_PT_mouthpiece"
    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (
    MappingRow,
    RigMapping,
    ChooseRig,
    RecogniseRig,
    SaveRigProfile,
    LoadRigProfile,
    RigConventionMenu,
    MOUTHPIECE_UL_mapping,
    RigMappingInViewport,
    RigMappingInSequencer,
)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(CLASSES)


def register() -> None:
    """Give every object its list, and both sidebars the sub-panel."""
    _register_classes()
    bpy.types.Object.mouthpiece_mapping = bpy.props.PointerProperty(type=RigMapping)


def unregister() -> None:
    """Take them away."""
    del bpy.types.Object.mouthpiece_mapping
    _unregister_classes()
