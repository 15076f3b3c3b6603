# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion on disk: npz and json for every face space, csv in the layout of Live Link Face takes for ARKit weights.

A file appears under its name only when it is whole.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import npz, whole_file
from .face import ARKIT_CHANNELS

HEAD_AND_EYES = tuple(f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll"))
"""The angles behind the 52 weights in a Live Link Face take; no model here moves them."""
LIVE_LINK_FPS = 60.0
"""Rate of a take of less than a second, whose timecodes do not tell."""
USUAL_FPS = (23.976, 24.0, 25.0, 29.97, 30.0, 48.0, 50.0, 59.94, 60.0, 100.0, 120.0)
MOST_BYTES = 1 << 32
"""Half an hour of a mesh of 5000 vertices at 30 frames per second, unpacked."""
_SWAPPED = {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}


class MotionFileError(Exception):
    """A motion file cannot be read or written; the sentence says why."""


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion of one face over one stretch of time."""

    space: str
    fps: float
    values: np.ndarray
    """float32 [frames, channels], or [frames, vertices, 3] for vertex spaces."""
    names: tuple[str, ...] = ()
    """One per channel; empty for vertex spaces."""
    start: float = 0.0
    """Second of the first frame."""
    metadata: str = "{}"
    """JSON text: model, identity, version, …"""


def write(path: Path, motion: Motion) -> None:
    """Write a motion file of the kind that the name's ending asks for. Raises `MotionFileError`."""
    content = _writer(path)(motion)
    try:
        with whole_file.written(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise MotionFileError(f"{path} cannot be written ({error.strerror}).") from error


def read(path: Path) -> Motion:
    """Read a motion file of any of the three kinds. Raises `MotionFileError`."""
    reader = _READERS[checked_format(path)]
    try:
        return _checked(reader(path.read_bytes()))
    except OSError as error:
        raise MotionFileError(f"{path} cannot be read ({error.strerror}).") from error
    except KeyError as error:
        raise MotionFileError(f"{path} is no motion file: it has no {error}; export it again.") from error
    except (AttributeError, IndexError, MemoryError, OverflowError, RecursionError, TypeError) as error:
        raise MotionFileError(f"{path} is damaged or no motion file; export it again.") from error
    except (ValueError, csv.Error) as error:
        raise MotionFileError(f"{path} is no motion file: {error}; export it again.") from error


def checked_format(path: Path) -> str:
    """``npz``, ``csv`` or ``json`` from the ending of a name; `MotionFileError` for another one."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in _WRITERS:
        raise MotionFileError(f"{path.name} must end in .npz, .csv or .json.")
    return ending


def _writer(path: Path) -> Callable[[Motion], bytes]:
    return _WRITERS[checked_format(path)]


def _key(motion: Motion) -> str:
    return "vertices" if motion.values.ndim == 3 else "values"


def _npz(motion: Motion) -> bytes:
    stream = io.BytesIO()
    about = {"fps": motion.fps, "space": motion.space, "start": motion.start, "metadata": motion.metadata}
    np.savez_compressed(stream, **{_key(motion): motion.values}, names=np.array(motion.names, np.str_), **about)
    return stream.getvalue()


def _from_npz(content: bytes) -> Motion:
    file = npz.read(content, MOST_BYTES)
    values = file["vertices"] if "vertices" in file else file["values"]
    names = tuple(str(name) for name in file["names"])
    space, metadata = str(file["space"]), str(file["metadata"])
    return Motion(space, float(file["fps"]), values, names, float(file["start"]), metadata)


def _json(motion: Motion) -> bytes:
    # through text, so that a float32 is written with its own few digits and not those of the nearest double
    rows = [frame.astype(str).astype(float).tolist() for frame in motion.values]
    about = {"fps": motion.fps, "space": motion.space, "start": motion.start, "metadata": motion.metadata}
    return json.dumps({_key(motion): rows, "names": motion.names, **about}, ensure_ascii=False).encode()


def _from_json(content: bytes) -> Motion:
    file = json.loads(content)
    values = np.array(file["vertices"] if "vertices" in file else file["values"], np.float32)
    return Motion(file["space"], file["fps"], values, tuple(file["names"]), file["start"], file["metadata"])


def _checked(motion: Motion) -> Motion:
    columns = len(motion.names) if motion.values.ndim == 2 else 0
    if motion.values.dtype != np.float32 or motion.values.ndim not in (2, 3):
        raise ValueError("its values are no float32 table")
    if motion.values.ndim == 2 and motion.values.shape[1] != columns:
        raise ValueError(f"it names {columns} channels and has {motion.values.shape[1]}")
    if not (np.isfinite(motion.values).all() and motion.fps > 0 and math.isfinite(motion.fps + motion.start)):
        raise ValueError("it holds broken numbers")
    return motion


def _csv(motion: Motion) -> bytes:
    """A Live Link Face take: its columns, `recorded_channels` first, and its timecodes HH:MM:SS:FF.mmm."""
    if not motion.names or not set(motion.names) <= set(ARKIT_CHANNELS):
        raise MotionFileError(f"csv holds ARKit weights, and {motion.space} has others; write npz or json instead.")
    table = np.zeros((len(motion.values), len(ARKIT_CHANNELS)), np.float32)
    channels = recorded_channels()
    table[:, [channels.index(name) for name in motion.names]] = motion.values
    header = [*(name[0].upper() + name[1:] for name in channels), *HEAD_AND_EYES]
    angles = [f"{0:.8f}"] * len(HEAD_AND_EYES)
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(["Timecode", "BlendShapeCount", *header])
    for number, weights in enumerate(table):
        timecode = _timecode(motion.start + number / motion.fps, motion.fps)
        rows.writerow([timecode, len(header), *(f"{weight:.8f}" for weight in weights), *angles])
    return stream.getvalue().encode()


def recorded_channels() -> tuple[str, ...]:
    """The ARKit names in the order of recorded takes, which have right before left at the jaw and the mouth."""
    return tuple(_SWAPPED.get(name, name) for name in ARKIT_CHANNELS)


def _timecode(seconds: float, fps: float) -> str:
    """HH:MM:SS:FF.mmm, the frames counted within the second."""
    thousandths = round(seconds % 1.0 * fps * 1000)
    whole = int(seconds)
    if thousandths >= fps * 1000:
        whole, thousandths = whole + 1, 0
    frames, part = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}:{frames:02}.{part:03}"


def _from_csv(content: bytes) -> Motion:
    """By the names in the header, in any order and spelling of capitals; other columns are passed over."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    header = {name.strip().lower(): column for column, name in enumerate(rows[0])}
    names = tuple(name for name in ARKIT_CHANNELS if name.lower() in header)
    columns = [header[name.lower()] for name in names]
    values = np.array([[float(row[column]) for column in columns] for row in rows[1:] if row], np.float32)
    seconds, frames = zip(*_timecodes([row[header["timecode"]] for row in rows[1:] if row]), strict=True)
    fps = _rate(seconds, frames)
    return Motion("arkit", fps, values, names, seconds[0] + frames[0] / fps)


def _timecodes(texts: list[str]) -> Iterator[tuple[int, float]]:
    """Whole seconds and the frames within them."""
    for text in texts:
        hours, minutes, seconds, frames = text.split(":")
        yield int(hours) * 3600 + int(minutes) * 60 + int(seconds), float(frames)


def _rate(seconds: tuple[int, ...], frames: tuple[float, ...]) -> float:
    """Frames per second: how far the count ran over all whole seconds."""
    passed = seconds[-1] - seconds[0]
    if not passed:
        return LIVE_LINK_FPS
    rate = (len(frames) - 1 - (frames[-1] - frames[0])) / passed
    return min(
        (usual for usual in USUAL_FPS if abs(usual - rate) < 0.01), key=lambda usual: abs(usual - rate), default=rate
    )


_WRITERS: dict[str, Callable[[Motion], bytes]] = {"npz": _npz, "csv": _csv, "json": _json}
_READERS: dict[str, Callable[[bytes], Motion]] = {"npz": _from_npz, "csv": _from_csv, "json": _from_json}
FORMATS = tuple(_WRITERS)
