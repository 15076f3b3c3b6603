# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes whole folders, on Windows those too whose files lie too deep for ordinary paths. No bpy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PLAIN, SHARE = "\\\\?\\", "\\\\?\\UNC\\"
"""What stands before a path that Windows takes as it is, with up to 32767 letters: one of a disk, one of a server."""


def delete(folder: Path) -> None:
    """Delete a folder that may not be there, with all that is in it; raises `OSError`.

    A licence inside torch has a path of 167 letters, so that most of its whole paths are longer than the 260 letters
    of Windows. uv writes them all the same, but only an extended path finds them again.
    """
    if folder.exists():
        shutil.rmtree(extended(os.path.abspath(folder)) if os.name == "nt" else folder)  # noqa: PTH100 (it must be whole)


def extended(path: str) -> str:
    """The extended form of an absolute path of Windows, which may hold no slash and no `..`."""
    if path.startswith(PLAIN):
        return path
    return SHARE + path.removeprefix("\\\\") if path.startswith("\\\\") else PLAIN + path
