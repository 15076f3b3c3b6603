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

    def draw(self, context: bpy.types.Context) -> None:
        """The page in Edit > Preferences > Add-ons."""
        layout = self.layout
        layout.use_property_split = True
        row = layout.row()
        row.enabled = not os.environ.get(environment.VARIABLE)
        row.prop(self, "backend_python")
        if not row.enabled:
            layout.label(text=f"{environment.VARIABLE} is set and goes first", icon="INFO")
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
    return environment.backend_python(bpy.context.preferences.addons[EXTENSION].preferences.backend_python)


def is_python_set() -> bool:
    """Whether there is a Python for the backend."""
    try:
        return backend_python().is_file()
    except BadInput:
        return False


def launch() -> Launch:
    """How to start the backend now, with a log file of its own; raises `BadInput` where no Python is set."""
    return Launch(environment.serve_command(backend_python(), FOLDER), _new_log_file())


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
