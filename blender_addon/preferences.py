# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which Python runs the backend, and which models it knows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bpy

from . import environment, fields, installer, shelf
from .errors import BadInput, MouthpieceError

EXTENSION = str(__package__).rpartition(".")[0]
"""The name under which Blender knows the extension."""
FOLDER = Path(__file__).parents[1]
SHIPPED_MODELS = FOLDER / "backend" / "weights"
BUILDS = (
    (("apple", "Apple", "Runs on the processor and on the graphics of a Mac"),)
    if sys.platform == "darwin"
    else (
        ("cpu", "CPU", "The processor: works everywhere and is the smallest download"),
        ("gpu", "CUDA or ROCm", "A graphics card by NVIDIA or AMD, as its driver tells; several gigabytes"),
    )
)
"""Those of `installer.Build` that there are for this system."""
LOGS_KEPT = 8
BOXES: list[Callable[[bpy.types.UILayout, bpy.types.Context], None]] = []
"""What draws the top of the page; a part of the interface adds itself when it is registered."""


class MouthpiecePreferences(bpy.types.AddonPreferences):
    """What belongs to this computer, not to a shot."""

    bl_idname = EXTENSION

    backend_python: fields.file(
        "Your Own Python",
        "A Python program, or the folder of a virtual environment, that you have set up yourself. Empty: "
        "the backend that Install Backend has installed",
    )
    build: bpy.props.EnumProperty(
        name="Hardware", description="What torch, the largest package, is installed for", items=BUILDS
    )
    wheels: fields.folder(
        "Wheel Folder", "Install from the Python packages (.whl) in this folder, without the internet"
    )
    models: fields.folder(
        "Models Folder",
        "Where your own models lie. Empty: a folder among Blender's user data, which upgrades leave alone",
    )
    flame: fields.file(
        "FLAME File",
        "Your own FLAME model (.pkl or .npz). With it, FLAME parameters move a mesh of FLAME's topology",
    )
    dictionary: fields.file(
        "Dictionary",
        "Your own pronunciation dictionary for transcripts: a text file with lines such as paper P EY1 P "
        "ER0. Without it, espeak-ng says how words sound",
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

    idle_minutes: bpy.props.IntProperty(
        name="Unload After Minutes",
        description="Minutes without work after which the backend ends and gives all its memory back, the graphics "
        "card's too; the next click starts it again. 0 keeps it until Blender ends",
        default=10,
        min=0,
        soft_max=120,
    )
    results: bpy.props.IntProperty(
        name="Keep Results",
        description="Megabytes of finished motions that are kept in Blender's user folder, so that Apply Last Result "
        "works after the file was closed. The oldest are deleted for new ones; 0 keeps none",
        default=500,
        min=0,
        soft_max=10_000,
        update=lambda _page, _context: shelf.shorten(results_folder(), results_limit()),
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The page in Edit > Preferences > Add-ons."""
        layout = self.layout
        layout.use_property_split = True
        for draw in BOXES:
            draw(layout, context)
        for option in ("flame", "dictionary", "results"):
            layout.prop(self, option)


def backend_folder() -> Path:
    """Where the installed backend lies: among the user's own data, which upgrades of the add-on leave alone."""
    return _user_folder() / "env"  # short: Windows allows 260 letters, and torch's own paths need half of them


def models_folder() -> Path:
    """Where the artist's own models lie: the chosen folder, or one among the user's data, which is made at once."""
    if chosen().models.strip():
        return Path(bpy.path.abspath(chosen().models.strip())).expanduser()
    folder = _user_folder() / "models"
    with contextlib.suppress(OSError):  # where nothing can be written, there are the shipped models
        folder.mkdir(exist_ok=True)
    return folder


def idle_seconds() -> float:
    """How long the backend may have nothing to do before it is ended."""
    return chosen().idle_minutes * 60 or float("inf")


def results_folder() -> Path:
    """Where finished motions are kept."""
    return _user_folder() / "results"


def results_limit() -> int:
    """How many bytes of them are kept."""
    return chosen().results * 1_000_000


def backend_python() -> Path:
    """The Python that runs the backend; raises `BadInput` where there is none."""
    return environment.backend_python(chosen().backend_python, backend_folder())


def is_own_python_chosen() -> bool:
    """Whether the artist names a Python, so that the installed one is not used."""
    return bool(os.environ.get(environment.VARIABLE, "").strip() or chosen().backend_python.strip())


def order() -> installer.Order:
    """The installation that the preferences ask for."""
    wheels = chosen().wheels.strip()
    folder = Path(bpy.path.abspath(wheels)).expanduser() if wheels else None
    return installer.Order(backend_folder(), installer.Build(chosen().build), folder, installer.LOCKS)


def is_python_set() -> bool:
    """Whether there is a Python for the backend."""
    try:
        return backend_python().is_file()
    except BadInput:
        return False


def launch(models: Path | None = None) -> environment.Launch:
    """How to start the backend now, with a log file of its own; raises `BadInput` where no Python is set.

    `models`: a folder whose models go before those of the same names in the artist's own.
    """
    command = environment.serve_command(backend_python(), FOLDER)
    first = ("--models", str(models)) if models else ()
    return environment.Launch((*command, *first, *_serve_options()), new_log_file("backend"))


def chosen() -> MouthpiecePreferences:
    """What the artist has set on the page."""
    return bpy.context.preferences.addons[EXTENSION].preferences


def _serve_options() -> tuple[str, ...]:
    """What the preferences add to the command; raises `BadInput` where a file or folder in them is gone."""
    choices = chosen()
    models = choices.models or (str(models_folder()) if models_folder().is_dir() else "")
    options = ["--device", choices.device] if choices.device != "auto" else []
    named = (
        ("--models", models, Path.is_dir),
        ("--flame", choices.flame, Path.is_file),
        ("--dictionary", choices.dictionary, Path.is_file),
    )
    for option, text, there in named:
        path = Path(bpy.path.abspath(text.strip())).expanduser()
        if text.strip() and not there(path):
            raise BadInput(
                f"“{path}” is not there. Choose another one in Edit > Preferences > Add-ons > Mouthpiece, or none."
            )
        options += [option, str(path)] if text.strip() else []
    return tuple(options)


def new_log_file(kind: str) -> Path:
    """A new file among the user's data, for what a process prints; the oldest logs of its kind are deleted.

    Raises `MouthpieceError` where there can be none.
    """
    folder = _user_folder() / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise MouthpieceError(
            f"The folder “{folder}” cannot be made: {problem.strerror}. Change the permissions of the folder above it."
        ) from problem
    for old in sorted(folder.glob(f"{kind}-*.log"))[: 1 - LOGS_KEPT]:
        with contextlib.suppress(OSError):  # Windows deletes none that another Blender or an editor has open
            old.unlink()
    return folder / f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"


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
