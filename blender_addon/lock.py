# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock between several Blenders of one user, which the system takes back when its holder dies. No bpy."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

from .errors import BadInput, MouthpieceError

HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
"""What the systems say where another one holds it; anything else is no lock at all."""


class Lock:
    """Held by one Blender at a time."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None

    def acquire(self, path: Path, refusal: str) -> None:
        """Hold the lock that the file at `path` stands for; raises `BadInput` with `refusal` where another one does.

        Raises `MouthpieceError` where the file cannot be made or locked.
        """
        self.release()
        try:
            file = path.open("ab")
        except OSError as problem:
            raise MouthpieceError(
                f"“{path}” cannot be written: {problem.strerror}. Change the permissions of its folder, or make room."
            ) from problem
        try:
            _hold(file)
        except OSError as problem:
            file.close()
            if problem.errno in HELD:
                raise BadInput(refusal) from problem
            raise MouthpieceError(
                f"“{path}” cannot be locked: {problem.strerror}. Keep Blender's user folder on a disk that can do it."
            ) from problem
        self._file = file

    def release(self) -> None:
        """Let others hold it."""
        if self._file:
            self._file.close()
        self._file = None


if os.name == "nt":
    import msvcrt

    def _hold(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _hold(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
