# SPDX-License-Identifier: GPL-3.0-or-later
"""The box *Models* of the preferences: which there are, and converting, removing and finding them."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context, Event, UILayout

from .. import conversion, fields, model_files, preferences, runner, session
from ..errors import BadInput, Cancelled, MouthpieceError
from .box import Box
from .buttons import AtOnce, TakesTime
from .file_dialog import FileDialog
from .text import draw_sentence


class Shown:
    """The list as it was read last; a page is drawn many times a second, and its folder may lie on a network."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._files: tuple[model_files.ModelFile, ...] = ()

    def files(self) -> tuple[model_files.ModelFile, ...]:
        """The model files, read when they are asked for first and when another folder is chosen."""
        if self._folder != preferences.models_folder():
            self.refresh()
        return self._files

    def file(self, name: str) -> model_files.ModelFile | None:
        """The model file of that name; None where there is none, or where it is no model."""
        return next((file for file in self.files() if file.name == name and not file.problem), None)

    def refresh(self) -> None:
        """Read the folders again."""
        self._folder = preferences.models_folder()
        self._files = model_files.listing(preferences.SHIPPED_MODELS, self._folder)


current = Shown()
"""The list of this Blender."""


class RefreshModels(AtOnce, bpy.types.Operator):
    """Look into the folders of models again"""

    bl_idname = "mouthpiece.refresh_models"
    bl_label = "Refresh"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Here and in the running backend."""
        _refresh()
        return ""


class OpenModelsFolder(AtOnce, bpy.types.Operator):
    """Show the folder in which your own models lie"""

    bl_idname = "mouthpiece.open_models_folder"
    bl_label = "Open Folder"
    bl_options = {"INTERNAL"}

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """Only where it is there."""
        return "" if preferences.models_folder().is_dir() else "The folder is not there."

    def act(self, _context: Context) -> str:
        """In the computer's own file browser."""
        bpy.ops.wm.path_open(filepath=str(preferences.models_folder()))
        return ""


class RemoveModel(AtOnce, bpy.types.Operator):
    """Delete this model's file from your folder of models"""

    bl_idname = "mouthpiece.remove_model"
    bl_label = "Remove Model"
    bl_options = {"INTERNAL"}
    waits = True

    name: fields.text("Model", "The name of one of your own models")

    def invoke(self, context: Context, event: Event) -> set[str]:
        """In the interface: ask first, because it is gone for good."""
        return context.window_manager.invoke_confirm(self, event)

    def act(self, _context: Context) -> str:
        """Delete the file; the shipped ones stay."""
        file = next((one for one in current.files() if one.is_own and one.name == self.name), None)
        if file is None:
            raise BadInput(f"There is no model of your own named “{self.name}”. Click Refresh.")
        try:
            file.path.unlink(missing_ok=True)
        except OSError as problem:
            raise MouthpieceError(f"“{file.path}” cannot be deleted: {problem.strerror}. Unload it first.") from problem
        finally:
            _refresh()
        return f"Deleted {file.path.name}."


class ConvertCheckpoint(FileDialog, TakesTime, bpy.types.Operator):
    """Make a model of an official UniTalker checkpoint (.pt or .safetensors) that you have downloaded"""

    bl_idname = "mouthpiece.convert_checkpoint"
    bl_label = "Convert Official Checkpoint"
    bl_options = {"INTERNAL"}

    filter_glob: bpy.props.StringProperty(default="*.pt;*.pth;*.safetensors", options={"HIDDEN"})
    name: fields.text("Name", "What the model is called in the panel. Empty: as the checkpoint's file")
    pca: fields.folder("PCA Folder", "Holds one SPACE.npz for each face space of vertices, as published. Empty: none")
    templates: fields.file("Templates", "One neutral face for each face space, in an .npz. Empty: none")
    config: fields.file("Layout", "A .json that describes the checkpoint. Empty: it is a released UniTalker-B or -L")

    @classmethod
    def why_not(cls, _context: Context) -> str:
        """One at a time, and only with a backend that can do it."""
        if conversion.current.busy:
            return "A checkpoint is being converted."
        return "" if preferences.is_python_set() else "The backend is not installed yet."

    def execute(self, context: Context) -> set[str]:
        """After the file browser, which does not invoke: a timer goes on all the same."""
        return super().execute(context) if bpy.app.background else self.begin_and_watch(context)

    def begin(self, _context: Context) -> None:
        """Start the backend's Python."""
        name = self.name.strip() or self.path.stem
        output = preferences.models_folder() / f"{bpy.path.clean_name(name)}{model_files.SUFFIX}"
        extras = [Path(bpy.path.abspath(text)) if text else None for text in (self.config, self.pca, self.templates)]
        log = preferences.new_log_file("convert")
        order = conversion.Order(self.path, output, *extras)
        conversion.current.begin(order, preferences.backend_python(), preferences.FOLDER, log)

    def watch(self) -> None:
        """Look after it from a timer."""
        page.watch()

    def wait(self) -> None:
        """Look after it to its end."""
        page.wait()

    def tell(self) -> set[str]:
        """What it has made, or why it has failed."""
        now = conversion.current
        if now.failure or not now.made:
            self.report({"ERROR"}, str(now.failure))
            return {"CANCELLED"}
        self.report({"INFO"}, f"“{now.made.stem}” can be chosen as a model now.")
        return {"FINISHED"}


class CancelConversion(AtOnce, bpy.types.Operator):
    """Stop the conversion; nothing is written"""

    bl_idname = "mouthpiece.cancel_conversion"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def act(self, _context: Context) -> str:
        """Ask for it."""
        conversion.current.cancel()
        return ""


def draw(layout: UILayout, context: Context) -> None:
    """The whole box."""
    box = layout.box()
    header = box.row()
    header.label(text="Models")
    header.operator(RefreshModels.bl_idname, text="", icon="FILE_REFRESH")
    header.operator(OpenModelsFolder.bl_idname, text="", icon="FILE_FOLDER")
    for file in current.files():
        _draw_file(box, context, file)
    box.prop(preferences.chosen(), "models")
    if not preferences.models_folder().is_dir():
        draw_sentence(box, context, "The folder is not there.", "ERROR")
    _draw_conversion(box, context)


def _draw_file(layout: UILayout, context: Context, file: model_files.ModelFile) -> None:
    """One model: what it is called and moves, how large it is, under which licence, and where it is from."""
    box = layout.box()
    row = box.row()
    row.label(text=f"{file.title}  ({file.name})" if file.title else file.path.name, icon=_icon(file))
    side = row.row()
    side.alignment = "RIGHT"
    side.label(text=f"{file.bytes / 1e6:.1f} MB")
    if file.is_own:
        side.operator(RemoveModel.bl_idname, text="", icon="TRASH").name = file.name
    if file.problem:
        draw_sentence(box, context, file.problem, "BLANK1")
        return
    styles = f", in {len(file.styles)} styles" if file.styles else ""
    takes = ", several takes of a line" if file.has_takes else ""
    draw_sentence(box, context, f"Moves {'; '.join(file.moves)}{styles}{takes}", "BLANK1")
    draw_sentence(box, context, f"{file.origin}. Licence: {file.licence}", "BLANK1")


def _icon(file: model_files.ModelFile) -> str:
    if file.problem:
        return "ERROR"
    return "USER" if file.is_own else "PACKAGE"


def _draw_conversion(layout: UILayout, context: Context) -> None:
    now = conversion.current
    if now.busy:
        row = layout.row(align=True)
        row.progress(factor=now.fraction, text=f"{now.stage} …")
        row.operator(CancelConversion.bl_idname, text="", icon="X")
        return
    layout.operator(ConvertCheckpoint.bl_idname, text="Convert Official Checkpoint …", icon="IMPORT")
    if now.failure:
        draw_sentence(layout, context, str(now.failure), "INFO" if isinstance(now.failure, Cancelled) else "ERROR")
    elif now.made:
        draw_sentence(layout, context, f"“{now.made.stem}” can be chosen as a model now.", "CHECKMARK")


def _refresh() -> None:
    """Know what lies in the folders now, here and in the running backend."""
    current.refresh()
    session.current.look()
    if session.current.has_backend:
        runner.current.watch()


def _goes_on() -> bool:
    """Look after the conversion; False once it is over."""
    if not conversion.current.step():
        return True
    _refresh()
    return False


def _stop() -> None:
    conversion.current.cancel()


CLASSES = (RefreshModels, OpenModelsFolder, RemoveModel, ConvertCheckpoint, CancelConversion)
page = Box(CLASSES, draw, _goes_on, _stop)
register, unregister = page.register, page.unregister
