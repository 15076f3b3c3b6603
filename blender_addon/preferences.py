# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which Python runs the backend, and whether it works."""

from __future__ import annotations

import os
import time
from pathlib import Path

import bpy

from . import environment, session
from .environment import Launch
from .errors import BadInput

EXTENSION = str(__package__).rpartition(".")[0]
"""The name under which Blender knows the extension."""
FOLDER = Path(__file__).parents[1]
LOGS_KEPT = 8


class MouthpiecePreferences(bpy.types.AddonPreferences):
    """What belongs to this computer, not to a shot."""

    bl_idname = EXTENSION

    backend_python: bpy.props.StringProperty(
        name="Backend's Python",
        description="The Python program, or the folder of the virtual environment, in which the backend is installed",
        subtype="FILE_PATH",
    )
    models: bpy.props.StringProperty(
        name="Models",
        description="A folder with more models: your own, or official ones after `mouthpiece convert`",
        subtype="DIR_PATH",
    )
    flame: bpy.props.StringProperty(
        name="FLAME File",
        description="Your own FLAME model (.pkl or .npz). With it, FLAME parameters move a mesh of FLAME's topology",
        subtype="FILE_PATH",
    )
    dictionary: bpy.props.StringProperty(
        name="Dictionary",
        description="Your own pronunciation dictionary for transcripts: a text file with lines such as paper P EY1 P "
        "ER0. Without it, espeak-ng says how words sound",
        subtype="FILE_PATH",
    )
    device: bpy.props.EnumProperty(
        name="Device",
        description="Where models run",
        items=(
            ("auto", "Automatic", "The fastest there is"),
            ("cpu", "CPU", "The processor; works everywhere"),
            ("cuda", "CUDA or ROCm", "A graphics card by NVIDIA or AMD"),
            ("mps", "Metal", "The graphics of a Mac with an Apple chip"),
        ),
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The page in Edit > Preferences > Add-ons."""
        layout = self.layout
        layout.use_property_split = True
        row = layout.row()
        row.enabled = not os.environ.get(environment.VARIABLE)
        row.prop(self, "backend_python")
        if not row.enabled:
            layout.label(text=f"{environment.VARIABLE} is set and goes first", icon="INFO")
        for option in ("models", "flame", "dictionary", "device"):
            layout.prop(self, option)
        row = layout.row()
        row.operator("mouthpiece.check_backend", icon="CHECKMARK")
        row.operator("mouthpiece.open_log", icon="TEXT")
        self._draw_result(layout)

    def _draw_result(self, layout: bpy.types.UILayout) -> None:
        now = session.current
        if now.state is session.State.STARTING:
            layout.label(text="Starting the backend …", icon="SORTTIME")
        elif now.failure:
            layout.label(text=str(now.failure), icon="ERROR")
        elif now.ready:
            layout.label(text=session.describe(now.ready), icon="CHECKMARK")


def backend_python() -> Path:
    """The Python that runs the backend; raises `BadInput` where none is set."""
    return environment.backend_python(_chosen().backend_python)


def is_python_set() -> bool:
    """Whether there is a Python for the backend."""
    try:
        return backend_python().is_file()
    except BadInput:
        return False


def launch() -> Launch:
    """How to start the backend now, with a log file of its own; raises `BadInput` where no Python is set."""
    command = environment.serve_command(backend_python(), FOLDER)
    return Launch((*command, *_serve_options()), _new_log_file())


def _chosen() -> MouthpiecePreferences:
    return bpy.context.preferences.addons[EXTENSION].preferences


def _serve_options() -> tuple[str, ...]:
    """What the preferences add to the command; raises `BadInput` where a file or folder in them is gone."""
    chosen = _chosen()
    options = ["--device", chosen.device] if chosen.device != "auto" else []
    named = (
        ("--models", chosen.models, Path.is_dir),
        ("--flame", chosen.flame, Path.is_file),
        ("--dictionary", chosen.dictionary, Path.is_file),
    )
    for option, text, there in named:
        path = Path(bpy.path.abspath(text.strip())).expanduser()
        if text.strip() and not there(path):
            raise BadInput(
                f"“{path}” is not there. Choose another one in Edit > Preferences > Add-ons > Mouthpiece, or none."
            )
        options += [option, str(path)] if text.strip() else []
    return tuple(options)


def _new_log_file() -> Path:
    """A new file among the user's data; the oldest logs are deleted."""
    folder = _user_folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("backend-*.log"))[: 1 - LOGS_KEPT]:
        old.unlink(missing_ok=True)
    return folder / f"backend-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"


def _user_folder() -> Path:
    try:
        return Path(bpy.utils.extension_path_user(EXTENSION, create=True))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="mouthpiece", create=True))


def register() -> None:
    """Add the preferences page."""
    bpy.utils.register_class(MouthpiecePreferences)


def unregister() -> None:
    """Take it away."""
    bpy.utils.unregister_class(MouthpiecePreferences)
