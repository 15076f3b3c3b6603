# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip's sound and a character's animation to it as one training clip: NAME.wav and NAME.npz in a folder.

`backend/training/readers/clip_folder.py` reads such folders. Everything is evaluated in a copy of the scene that holds
the character alone and is gone after each step: whatever moves a control counts (actions, NLA, drivers, constraints),
and neither the artist's frame nor a pose without keys is touched.
"""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.types import Object, Scene

from . import audio, compat, controls, whole_file
from .audio import StripSound
from .controls import Shown
from .errors import BadInput, MouthpieceError
from .lookup import character_named, scene_named
from .wording import listed

if TYPE_CHECKING:
    import numpy as np

RATES = (25.0, 30.0)
"""Frames per second that models are trained at."""
STILL = 1e-4
"""A control whose values differ by less does not move."""


@dataclass(frozen=True)
class Order:
    """What to export: names only."""

    scene: str
    strip: str
    character: str
    folder: Path
    controls: tuple[str, ...] = ()
    """Empty: all shape keys and custom properties that move during the strip, but for those that a driver sets."""
    identity: str = ""
    """Whose way of moving this is; empty: the character's name."""


@dataclass(frozen=True)
class Report:
    """What a clip holds."""

    strip: str
    character: str
    identity: str
    space: str
    """What the character's controls are called together."""
    controls: tuple[str, ...]
    frames: int
    fps: float
    motion: str
    """Path of the motion file."""
    sound: str
    """Path of the sound file."""

    @property
    def sentence(self) -> str:
        """The clip in one line."""
        seconds, count = self.frames / self.fps, len(self.controls)
        what = self.controls[0] if count == 1 else f"{count} controls"
        return f"“{self.strip}”: {seconds:.1f} s of {what} of “{self.character}” are in {self.motion}."


class Export:
    """An export from its beginning to its end: `advance` until it says so, then `report`."""

    def __init__(self, order: Order) -> None:
        """Check everything; raises `BadInput`, and nothing has been written."""
        self.order = order
        scene, character = scene_named(order.scene), character_named(order.character)
        strip = audio.find_strip(scene, order.strip)
        self._asked = bool(order.controls)
        found = controls.named(character, order.controls) if self._asked else controls.sliders(character)
        self._controls = [control for control in found if self._asked or not control.is_driven]
        if not self._controls:
            raise BadInput(f"“{character.name}” has no shape keys or custom properties that can be animated.")
        self._mixdown = audio.mix_down(scene, strip)
        self._sound: StripSound | None = None
        self._frames, self._fps = _places(*audio.frame_range(strip), audio.frames_per_second(scene))
        self._values: list[list[float]] = []
        self._path = order.folder / f"{_file_name(order)}.npz"
        _check_folder(order.folder)
        _check_other_shot(self._path, self._origin())
        self.report: Report | None = None
        """Set once the clip is written."""

    @property
    def fraction(self) -> float:
        """How much of it is done, 0 to 1."""
        return 0.5 * self._mixdown.fraction + 0.5 * len(self._values) / len(self._frames)

    def advance(self, seconds: float = float("inf")) -> bool:
        """Go on for about that long; whether the clip is written. Raises `MouthpieceError`."""
        deadline = time.perf_counter() + seconds
        while self._sound is None and time.perf_counter() < deadline:
            self._sound = self._mixdown.advance()
        if self._sound is not None:
            self._look(deadline)
        if self._sound is not None and len(self._values) == len(self._frames):
            self._write(self._sound)
        return self.report is not None

    def _look(self, deadline: float) -> None:
        """Note the controls' values at the next frames."""
        with _aside(scene_named(self.order.scene), character_named(self.order.character)) as (room, character):
            while len(self._values) < len(self._frames) and time.perf_counter() < deadline:
                frame = self._frames[len(self._values)]
                room.frame_set(math.floor(frame), subframe=frame - math.floor(frame))
                shown = Shown.of(character, room.view_layers[0].depsgraph)
                self._values.append([control.value(shown) for control in self._controls])

    def _write(self, sound: StripSound) -> None:
        import numpy as np

        values = np.array(self._values, np.float32)
        moving = np.ptp(values, axis=0) > STILL
        if not np.isfinite(values).all():
            broken = self._controls[int(np.flatnonzero(~np.isfinite(values).all(axis=0))[0])]
            raise BadInput(f"“{broken.name}” of “{self.order.character}” is no number at some frames of the strip.")
        if not moving.any():
            raise BadInput(self._why_still())
        chosen = np.full(len(moving), True) if self._asked else moving
        about = self._about(chosen, values)
        motion = _npz(values[:, chosen], self._fps, _space(self.order), about)
        try:
            whole_file.write(self._path.with_suffix(".wav"), sound.read())
            whole_file.write(self._path, motion)
        except OSError as problem:
            raise MouthpieceError(f"{self._path} cannot be written: {problem.strerror}.") from problem
        self.report = self._reported(tuple(about["limits"]), len(values))

    def _about(self, chosen: np.ndarray, values: np.ndarray) -> dict[str, Any]:
        """The clip's metadata; `still` has what the controls hold that are left out because they do not move."""
        pairs = list(zip(self._controls, chosen, values[0].tolist(), strict=True))
        return {
            "identity": self._identity(),
            "limits": {control.name: control.limits for control, is_chosen, _ in pairs if is_chosen},
            "still": {control.name: value for control, is_chosen, value in pairs if not is_chosen},
            **self._origin(),
        }

    def _origin(self) -> dict[str, str]:
        order = self.order
        return {"shot": bpy.data.filepath, "scene": order.scene, "strip": order.strip, "character": order.character}

    def _identity(self) -> str:
        return self.order.identity or self.order.character

    def _why_still(self) -> str:
        name, strip = self.order.character, self.order.strip
        driven = [control.name for control in controls.sliders(character_named(name)) if control.is_driven]
        if driven and not self._asked:
            return (
                f"No control of “{name}” that can be keyed moves during “{strip}”. Drivers set {listed(driven)}: "
                "choose the object with the properties that drive them, or name the controls."
            )
        return f"“{name}” has no animation during “{strip}”: none of its controls moves."

    def _reported(self, names: tuple[str, ...], frames: int) -> Report:
        sound, order = self._path.with_suffix(".wav"), self.order
        about = (order.strip, order.character, self._identity(), _space(order), names)
        return Report(*about, frames, self._fps, str(self._path), str(sound))


def export(order: Order) -> Report:
    """Do a whole export and wait for it; raises `MouthpieceError`, and nothing has been written."""
    work = Export(order)
    while not work.advance():
        pass
    assert work.report is not None
    return work.report


def _places(first: int, last: int, fps: float) -> tuple[list[float], float]:
    """Scene frames to look at, evenly in time, and their rate: 25 or 30 if that divides the scene's rate, else 30."""
    rate = next((rate for rate in RATES if math.isclose(fps / rate, round(fps / rate), abs_tol=1e-6)), RATES[-1])
    count = int((last - first) / fps * rate + 1e-6) + 1
    return [round(first + number * fps / rate, 5) for number in range(count)], rate


@contextmanager
def _aside(scene: Scene, character: Object) -> Iterator[tuple[Scene, Object]]:
    """A copy of the scene with the character alone in it."""
    room = scene.copy()
    try:
        for child in room.collection.children[:]:
            room.collection.children.unlink(child)
        for thing in room.collection.objects[:]:
            room.collection.objects.unlink(thing)
        room.collection.objects.link(character)
        yield room, character
    finally:
        compat.remove_scene(room)


def _file_name(order: Order) -> str:
    shot = Path(bpy.data.filepath).stem
    return _plain(f"{shot}-{order.strip}" if shot else order.strip)


def _space(order: Order) -> str:
    return _plain(order.character)


def _plain(name: str) -> str:
    """Letters of any script, digits, - and _: good for a file on every system, and for the name of a face space."""
    return re.sub(r"[^\w-]+", "_", name)


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise BadInput(f"Nothing can be written into the folder {folder}: {problem.strerror}.") from problem


def _check_other_shot(path: Path, origin: dict[str, str]) -> None:
    """A clip may be exported again, but never in the place of another one that happens to have its name."""
    import numpy as np

    if not path.exists():
        return
    try:
        with np.load(path, allow_pickle=False) as file:
            metadata = json.loads(str(file["metadata"]))
        is_same = {name: metadata.get(name) for name in origin} == origin
    except (OSError, ValueError, KeyError, AttributeError):
        is_same = False
    if not is_same:
        raise BadInput(f"{path} is the clip of another shot or character. Choose another folder, or rename the strip.")


def _npz(values: np.ndarray, fps: float, space: str, about: dict[str, Any]) -> bytes:
    """The motion file (`backend/motion_file.py`) of a clip whose first frame lies at the sound's beginning."""
    import numpy as np

    stream = io.BytesIO()
    names = np.array(list(about["limits"]), np.str_)
    metadata = json.dumps(about, ensure_ascii=False)
    np.savez_compressed(stream, values=values, names=names, fps=fps, space=space, start=0.0, metadata=metadata)
    return stream.getvalue()
