# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the backend's Python is, and the command that starts the backend with it. No bpy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import BadInput

VARIABLE = "MOUTHPIECE_BACKEND_PYTHON"
"""The environment variable that overrides the preference."""

BLENDER_GONE = "The Blender that the backend was installed with is gone. Click Repair in Mouthpiece's preferences."

BOOTSTRAP = """\
import sys
sys.path.insert(0, sys.argv[1])
from backend.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
"""Runs the backend of this extension folder in a Python that has never heard of it."""


@dataclass(frozen=True)
class Launch:
    """How to start a backend."""

    command: tuple[str, ...]
    log: Path
    """The file that takes everything the backend prints."""


def backend_python(preference: str, installed: Path, variables: Mapping[str, str] = os.environ) -> Path:
    """The Python that runs the backend: the environment variable, else the preference, else the installed environment.

    Each is a program or the folder of a virtual environment. Raises `BadInput` where there is none of them, or where
    what is set is no program.
    """
    chosen = variables.get(VARIABLE, "").strip() or preference.strip()
    if not chosen and not installed.is_dir():
        raise BadInput("The backend is not installed yet. Click Install Backend in Mouthpiece's preferences.")
    path = Path(chosen).expanduser() if chosen else installed
    if path.is_dir():
        path = inside_environment(path)
    if not chosen and not has_python(installed):
        raise BadInput(BLENDER_GONE)
    if not path.is_file() or not os.access(path, os.X_OK):
        raise BadInput(
            f"The backend's Python “{path}” is not there or cannot be run. Choose another one in Edit > "
            "Preferences > Add-ons > Mouthpiece."
        )
    return path


def has_python(folder: Path) -> bool:
    """Whether the virtual environment in `folder` can still run: it has but a link to the Python it was made with.

    On Windows the link is a program that stays when that Python goes, so that only `pyvenv.cfg` tells.
    """
    return inside_environment(folder).exists() and _has_home(folder / "pyvenv.cfg")


def _has_home(settings: Path) -> bool:
    try:
        lines = settings.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):  # then its backend will say what is wrong
        return True
    settled = (line.partition("=") for line in lines)
    homes = [Path(value.strip()) for name, _, value in settled if name.strip() == "home"]
    return all((home / "python.exe" if os.name == "nt" else home).exists() for home in homes)


def inside_environment(folder: Path) -> Path:
    """The Python of the virtual environment in `folder`, which need not be there yet."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def backend_command(python: Path, extension: Path, *words: str) -> tuple[str, ...]:
    """The command line of the backend whose code lies in the folder `extension`; `words` say what it is to do."""
    return (str(python), "-I", "-X", "utf8", "-c", BOOTSTRAP, str(extension), *words)


def serve_command(python: Path, extension: Path) -> tuple[str, ...]:
    """The command line of a backend that serves the pipe protocol."""
    return backend_command(python, extension, "serve")


def without_python(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child process, without Blender's own Python settings."""
    return {name: value for name, value in variables.items() if not name.upper().startswith("PYTHON")}
