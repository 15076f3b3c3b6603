# SPDX-License-Identifier: GPL-3.0-or-later
"""Export Training Clip: its choices, its button, and its sub-panel in both sidebars."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context

from .. import compat, fields, training_clip
from ..errors import BadInput, MouthpieceError
from ..redraw import redraw
from . import properties
from .buttons import AtOnce, TakesTime
from .registration import registration
from .sidebar import Tab, in_both_sidebars
from .text import draw_sentence

TICK_SECONDS = 0.05
WORK_SECONDS = 0.02
"""How long one step may keep Blender from drawing."""


class TrainingClipSettings(bpy.types.PropertyGroup):
    """One scene's choices for training clips."""

    folder: fields.folder("Folder", "Where the clip goes; all clips of a character go into one folder")
    identity: fields.text("Style", "Whose way of moving this is. Empty: the character's name")
    controls: fields.text(
        "Controls",
        "Names of shape keys, properties and bones' channels (jaw:rotation_euler.x), separated by commas. "
        "Empty: the shape keys and properties that move during the strip",
    )


class Progress:
    """The export that is going on, and what came of the last one."""

    def __init__(self) -> None:
        self.work: training_clip.Export | None = None
        self.outcome = ""
        self.has_failed = False

    def begin(self, order: training_clip.Order) -> None:
        """Begin an export; raises `MouthpieceError`, and nothing has begun."""
        self.work, self.outcome, self.has_failed = None, "", False
        self.work = training_clip.Export(order)

    def step(self, seconds: float = float("inf")) -> bool:
        """Go on for about that long; whether there is more to do."""
        if self.work is None:
            return False
        try:
            if not self.work.advance(seconds):
                return True
            self.end(self.work.report.sentence if self.work.report else "")
        except MouthpieceError as problem:
            self.end(str(problem), has_failed=True)
        return False

    def end(self, outcome: str, *, has_failed: bool = False) -> None:
        """Let go of the export, finished or not."""
        self.work, self.outcome, self.has_failed = None, outcome, has_failed


current = Progress()
"""The export of this Blender."""


class ExportTrainingClip(TakesTime, bpy.types.Operator):
    """Save the character's animation during the sound strip, with the sound, as a clip that a model can learn from"""

    bl_idname = "mouthpiece.export_training_clip"
    bl_label = "Export Training Clip"

    @classmethod
    def why_not(cls, context: Context) -> str:
        """One at a time, and only with all that it needs."""
        try:
            _order(context)
        except MouthpieceError as problem:
            return str(problem)
        return "A clip is being exported." if current.work else ""

    def begin(self, context: Context) -> None:
        """Look at the character and the strip."""
        current.begin(_order(context))

    def watch(self) -> None:
        """A frame or more at each tick of a timer."""
        bpy.app.timers.register(_on_timer)

    def wait(self) -> None:
        """All frames."""
        while current.step():
            pass

    def tell(self) -> set[str]:
        """Where it has been written, or why not."""
        self.report({"ERROR" if current.has_failed else "INFO"}, current.outcome)
        return {"CANCELLED" if current.has_failed else "FINISHED"}


class CancelTrainingClip(AtOnce, bpy.types.Operator):
    """Stop the export; nothing is written"""

    bl_idname = "mouthpiece.cancel_training_clip"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Let go of it."""
        current.end("Cancelled.")
        return ""


class TrainingClipTab(Tab):
    """What both sidebars show below the lip sync."""

    bl_label = "Training Clip"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Choices, the button, and how things stand."""
        layout = self.form()
        chosen = context.scene.mouthpiece_clip
        choices = layout.column()
        choices.enabled = current.work is None
        choices.prop(chosen, "folder")
        choices.prop(chosen, "identity", placeholder=properties.character_name(context))
        choices.prop(chosen, "controls", placeholder="what moves")
        if current.work:
            row = layout.split(factor=0.72, align=True)
            row.progress(factor=current.work.fraction, type="BAR", text=f"Exporting  {current.work.fraction:.0%}")
            row.operator("mouthpiece.cancel_training_clip")
        else:
            layout.operator("mouthpiece.export_training_clip", icon="EXPORT")
        if current.outcome:
            icon = "ERROR" if current.has_failed else "INFO"
            draw_sentence(layout, context, current.outcome, icon)


TrainingClipInViewport, TrainingClipInSequencer = in_both_sidebars(TrainingClipTab, "clip")


def _order(context: Context) -> training_clip.Order:
    """What a click would export; raises `BadInput` where something is not chosen."""
    chosen = context.scene.mouthpiece_clip
    strip, character = properties.strip_name(context), properties.character_name(context)
    if not strip:
        raise BadInput("Select a sound strip in the Sequencer, or choose one above.")
    if not character:
        raise BadInput("Select the character, or choose it above.")
    if not chosen.folder or (chosen.folder.startswith("//") and not bpy.data.filepath):
        raise BadInput("Choose the folder of the clips.")
    names = tuple(name.strip() for name in chosen.controls.split(",") if name.strip())
    scene = compat.sequencer_scene(context).name
    return training_clip.Order(scene, strip, character, Path(bpy.path.abspath(chosen.folder)), names, chosen.identity)


def _on_timer() -> float | None:
    goes_on = current.step(WORK_SECONDS)
    redraw()
    return TICK_SECONDS if goes_on else None


@bpy.app.handlers.persistent
def _before_another_file(*_arguments: object) -> None:
    current.end("")


CLASSES = (
    TrainingClipSettings,
    ExportTrainingClip,
    CancelTrainingClip,
    TrainingClipInViewport,
    TrainingClipInSequencer,
)
_register_classes, _unregister_classes = registration(CLASSES, "mouthpiece_clip", TrainingClipSettings)


def register() -> None:
    """Give every scene its choices, and both sidebars their sub-panel."""
    _register_classes()
    bpy.app.handlers.load_pre.append(_before_another_file)


def unregister() -> None:
    """Take them away."""
    bpy.app.handlers.load_pre.remove(_before_another_file)
    if bpy.app.timers.is_registered(_on_timer):
        bpy.app.timers.unregister(_on_timer)
    current.end("")
    _unregister_classes()
