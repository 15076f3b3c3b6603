# SPDX-License-Identifier: GPL-3.0-or-later
"""Finished motions on disk, so that they can be written again after Blender was closed.

One npz file for each strip of a .blend: plain arrays and a JSON text, no pickle. The newest takes the place of the one
before, and the oldest of all are deleted where they take more room than the artist gives them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import placing
from .errors import MouthpieceError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    import numpy as np

    from .motion import Motion

FORMAT = 1
_MADE_WITH = ("scene", "strip", "audio", "character", "model", "space", "identity")
"""What of a choice says how the motion came about; all else is chosen anew when it is written again."""


@dataclass(frozen=True)
class Label:
    """What a motion is found by."""

    blend: str
    """Path of the .blend file."""
    scene: str
    spoken: str
    """Title of the strip or sound file."""

    @property
    def file_name(self) -> str:
        """The same for the same label, and good in every file system."""
        whole = "\0".join((self.blend, self.scene, self.spoken))
        return f"{hashlib.sha256(whole.encode()).hexdigest()[:32]}.npz"


class Shelf:
    """A folder of motions. Writing goes on in a thread of its own; a folder that takes none is no error."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def put(self, folder: Path, label: Label, performance: placing.Performance, limit: int) -> None:
        """Keep a motion instead of the one before, if it fits into `limit` bytes."""
        from concurrent.futures import ThreadPoolExecutor  # here and not at the top: Blender would start later for it

        self._thread = self._thread or ThreadPoolExecutor(1, "mouthpiece shelf")
        self._last = self._thread.submit(_put, folder, label, performance, limit)

    def wait(self) -> None:
        """Until all is written that was given."""
        if self._last:
            self._last.result()

    def has(self, folder: Path, label: Label) -> bool:
        """Whether a motion is kept."""
        return (folder / label.file_name).is_file()

    def get(self, folder: Path, label: Label) -> placing.Performance | None:
        """A motion that is kept; None where there is none. Raises `MouthpieceError` where it cannot be read."""
        self.wait()
        path = folder / label.file_name
        if not path.is_file():
            return None
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise MouthpieceError(
                f"The kept motion of “{label.spoken}” cannot be read; generate it again."
            ) from problem


current = Shelf()
"""The shelf of this Blender."""


def shorten(folder: Path, limit: int) -> None:
    """Delete the oldest motions until the rest takes at most `limit` bytes."""
    files = [(path, path.stat()) for path in folder.glob("*.npz")]
    files.sort(key=lambda entry: entry[1].st_mtime_ns, reverse=True)
    room = limit
    for path, about in files:
        room -= about.st_size
        if room < 0:
            path.unlink(missing_ok=True)


def _put(folder: Path, label: Label, performance: placing.Performance, limit: int) -> None:
    path = folder / label.file_name
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # an older motion is worse than none
        if sum(take.values.nbytes for take in performance.takes) < limit:
            _write(partial, label, performance)
            partial.replace(path)
            shorten(folder, limit)
    except OSError:  # such as a full disk: the motion is still in memory, as long as the file is open
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _write(path: Path, label: Label, performance: placing.Performance) -> None:
    import numpy as np

    choice, motion = asdict(performance.choice), performance.motion
    about = {
        "format": FORMAT,
        **asdict(label),
        "choice": {name: choice[name] for name in _MADE_WITH},
        "visemes": choice["visemes"],
        "phones": [asdict(phone) for phone in motion.phones],
        "first_frame": performance.first_frame,
        "scene_fps": performance.fps,
        "names": motion.names,
        "fps": motion.fps,
        "space": motion.space,
        "takes": [dict(take.metadata) for take in performance.takes],
    }
    arrays = {f"take{number}": take.values for number, take in enumerate(performance.takes)}
    arrays["about"] = np.array(json.dumps(about))
    if motion.neutral is not None:
        arrays["neutral"] = motion.neutral
    with zipfile.ZipFile(path, "w") as archive:  # np.savez leaves its archive open where the disk is full
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _read(path: Path) -> placing.Performance:
    from ..backend import npz  # here and not at the top: it needs numpy
    from .choice import Choice
    from .phones import Phone

    arrays = npz.read(path, most_bytes=path.stat().st_size)
    about = json.loads(str(arrays["about"]))
    if about["format"] != FORMAT:
        raise ValueError("another format")
    values = [arrays[f"take{number}"] for number in range(len(about["takes"]))]
    takes = tuple(_motion(about, *take, arrays.get("neutral")) for take in zip(about["takes"], values, strict=True))
    choice = Choice(**about["choice"], visemes=tuple(Phone(**phone) for phone in about["visemes"]))
    return placing.Performance(choice, takes, int(about["first_frame"]), float(about["scene_fps"]), character_uid=0)


def _motion(about: dict[str, Any], metadata: dict[str, Any], values: np.ndarray, neutral: np.ndarray | None) -> Motion:
    """One take; raises `ValueError` where its values do not fit."""
    import numpy as np

    from .motion import Motion
    from .phones import Phone

    shape = (len(about["names"]),) if neutral is None else neutral.shape
    if values.shape[1:] != shape or not len(values) or not np.isfinite(values).all():
        raise ValueError("values of another shape")
    phones = tuple(Phone(**phone) for phone in about["phones"])
    return Motion(tuple(about["names"]), values, float(about["fps"]), about["space"], metadata, neutral, phones)
