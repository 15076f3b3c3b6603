# SPDX-License-Identifier: GPL-3.0-or-later
"""From a strip to the sound that it plays: which bytes, from which second on, for which scene frames."""

from __future__ import annotations

import functools
import io
import math
import tempfile
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import bpy
from bpy.types import Scene

from . import compat
from .errors import BadInput, MouthpieceError

if TYPE_CHECKING:  # named otherwise before Blender 4.4
    from bpy.types import MetaStrip, SequenceTimelineChannel, SoundStrip

MIX_RATE = 48000
Desk: TypeAlias = Callable[[int], AbstractContextManager[Scene]]
"""Lays out a scene to be mixed down, everything so many frames later, and takes it away again."""
MIX_SECONDS = 10.0
"""A mixdown is done in pieces of this length: Blender mixes about a second of sound in a millisecond."""

_PLAIN = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b"caff", b".snd", b"ID3")
"""How files begin that libsndfile, and so the backend, reads; MPEG audio without a tag has its own test."""


@dataclass(frozen=True)
class StripSound:
    """What the backend needs to know of a strip."""

    source: Path | bytes
    """A sound file, or its content."""
    start: float
    """Second of the source that plays at the beginning of `first_frame`."""
    first_frame: int
    last_frame: int
    """The last scene frame at which the strip is heard."""
    fps: float
    """Scene frames per second."""

    @property
    def frames(self) -> int:
        """Number of scene frames."""
        return self.last_frame - self.first_frame + 1

    @property
    def duration(self) -> float:
        """Seconds that the frames last."""
        return self.frames / self.fps

    def read(self) -> bytes:
        """The source's content; raises `BadInput` where the file cannot be read."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            return self.source.read_bytes()
        except OSError as problem:
            raise BadInput(f"The sound file “{self.source}” cannot be read: {problem.strerror}.") from problem


def sound_strips(scene: Scene) -> list[SoundStrip]:
    """All sound strips of a scene, those inside meta strips too."""
    return [strip for strip in compat.all_strips(scene) if strip.type == "SOUND"]


def find_strip(scene: Scene, name: str) -> SoundStrip:
    """The sound strip of that name; raises `BadInput` where there is none."""
    strips = {strip.name: strip for strip in sound_strips(scene)}
    if name not in strips:
        there = f"It has: {', '.join(strips)}." if strips else "Add one in the Sequencer."
        raise BadInput(f"The scene “{scene.name}” has no sound strip named “{name}”. {there}")
    return strips[name]


def frames_per_second(scene: Scene) -> float:
    """The scene's own rate, 29.97 and its like included."""
    return scene.render.fps / scene.render.fps_base


def frame_range(strip: SoundStrip) -> tuple[int, int]:
    """First and last scene frame at which the strip is heard, within the meta strips around it.

    Raises `BadInput` where they leave nothing.
    """
    around = [strip, *_metas_around(strip)]
    first = max(int(one.frame_final_start) for one in around)
    last = min(int(one.frame_final_end) for one in around) - 1
    if last < first:
        raise BadInput(f"The strip “{strip.name}” is cut away completely by its meta strip.")
    return first, last


def is_muted(scene: Scene, strip: SoundStrip) -> bool:
    """Whether the strip, a meta strip around it or one of their channels is muted."""
    return any(one.mute for one in (strip, *_metas_around(strip), *_channels(scene, strip)))


def second_of_sound(strip: SoundStrip, frame: float, fps: float) -> float:
    """Which second of its sound a strip that is not retimed plays at the beginning of a scene frame.

    Handles (`frame_offset_start`) do not enter: they only bound the frames at which the strip is heard.
    """
    return (frame - strip.frame_start + strip.animation_offset_start) / fps - strip.sound_offset


def listen(scene: Scene, strip: SoundStrip) -> StripSound | Mixdown:
    """The strip's sound: its own file where the strip plays it unchanged, else a mixdown that is still to be done.

    Raises `BadInput` where the sound is missing.
    """
    source = _source(strip)
    if not is_plain(source) or _metas_around(strip) or _has_animated_volume(scene, strip):
        return _mixdown(scene, strip, source)
    if compat.is_retimed(scene, strip):
        return _mixdown(scene, strip, source)
    first, last = frame_range(strip)
    fps = frames_per_second(scene)
    return StripSound(source, second_of_sound(strip, first, fps), first, last, fps)


def mix_down(scene: Scene, strip: SoundStrip) -> Mixdown:
    """Exactly what the strip plays, as a sound that is still to be made. Raises `BadInput` where it is missing."""
    return _mixdown(scene, strip, _source(strip))


class Mixdown:
    """Blender's own rendering of one strip alone, in short pieces so that the interface stays alive.

    Everything happens in copies of the scene, which are removed again: the artist's scene is never touched.
    """

    def __init__(self, desk: Desk, first: int, last: int, fps: float) -> None:
        """`desk` lays out a scene in which nothing but the strip is heard, and takes it away again."""
        self._desk = desk
        self.first_frame, self.last_frame, self.fps = first, last, fps
        self._delay = max(0, -first)
        """Frames by which all is laid out later than it is heard: Blender mixes nothing before frame 0."""
        self._samples = bytearray()
        self._next = first

    @property
    def frames(self) -> int:
        """Number of scene frames."""
        return self.last_frame - self.first_frame + 1

    @property
    def fraction(self) -> float:
        """How much of it is done, 0 to 1."""
        return (self._next - self.first_frame) / self.frames

    def advance(self) -> StripSound | None:
        """Mix one more piece; the whole sound once it is complete."""
        end = min(self._next + max(1, math.ceil(MIX_SECONDS * self.fps)), self.last_frame + 1)
        with self._desk(self._delay) as desk:
            self._samples += _mix(desk, self._next + self._delay, end + self._delay, self.fps)
        self._next = end
        if end <= self.last_frame:
            return None
        return StripSound(_wav(self._samples), 0.0, self.first_frame, self.last_frame, self.fps)


def _source(strip: SoundStrip) -> Path | bytes:
    sound = strip.sound
    if sound is None:
        raise BadInput(f"The strip “{strip.name}” has no sound any more. Add its sound file to the Sequencer again.")
    if sound.packed_file:
        return sound.packed_file.data
    path = Path(bpy.path.abspath(sound.filepath, library=sound.library))
    if not path.is_file():
        raise BadInput(f"The sound file of the strip “{strip.name}” is missing: {path}")
    return path


def _mixdown(scene: Scene, strip: SoundStrip, source: Path | bytes) -> Mixdown:
    """Raises `BadInput` where Blender cannot read the sound: it would mix silence, or cannot mix it where it lies."""
    channels = strip.sound.channels
    if isinstance(source, Path):  # the file may have changed since the strip's own sound was loaded
        fresh = bpy.data.sounds.load(str(source))
        channels = fresh.channels
        bpy.data.sounds.remove(fresh)
    if channels == "INVALID":
        raise BadInput(
            f"The sound of the strip “{strip.name}” is of no format that Blender can read. Convert it to wav or flac."
        )
    first, last = frame_range(strip)
    if first < 0 and _has_driven_volume(scene, strip):  # what drives it stays where it is while the strip is moved
        raise BadInput(
            f"The strip “{strip.name}” begins before frame 0, and a driver sets its volume: Blender cannot mix that "
            "down. Move it to frame 0 or later."
        )
    desk = functools.partial(_desk, scene.name, strip.name)
    return Mixdown(desk, first, last, frames_per_second(scene))


def is_plain(source: Path | bytes) -> bool:
    """Whether the backend can read it; films, AAC and its like only Blender can."""
    if isinstance(source, bytes):
        head = source[:12]
    else:
        try:
            with source.open("rb") as stream:
                head = stream.read(12)
        except OSError as problem:
            raise BadInput(f"The sound file “{source}” cannot be read: {problem.strerror}.") from problem
    if head[:4] == b"RIFF":
        return head[8:] == b"WAVE"
    mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0  # layer 0 is AAC
    return mpeg or head.startswith(_PLAIN)


def _metas_around(strip: SoundStrip) -> list[MetaStrip]:
    metas: list[MetaStrip] = []
    meta = strip.parent_meta()
    while meta is not None:
        metas.append(meta)
        meta = meta.parent_meta()
    return metas


def _channels(scene: Scene, strip: SoundStrip) -> list[SequenceTimelineChannel]:
    """The strip's channel, and those of the meta strips around it."""
    chain = [strip, *_metas_around(strip)]
    holders = [*chain[1:], scene.sequence_editor]
    return [holder.channels[one.channel] for one, holder in zip(chain, holders, strict=True)]


def _has_animated_volume(scene: Scene, strip: SoundStrip) -> bool:
    data = scene.animation_data
    if data is None:
        return False
    path = strip.path_from_id("volume")
    keyed = compat.curves(data.action, data) if data.action else []
    return _has_driven_volume(scene, strip) or any(curve.data_path == path for curve in keyed)


def _has_driven_volume(scene: Scene, strip: SoundStrip) -> bool:
    drivers = scene.animation_data.drivers if scene.animation_data else []
    path = strip.path_from_id("volume")
    return any(driver.data_path == path for driver in drivers)


def _scene(name: str) -> Scene:
    scene = bpy.data.scenes.get(name)
    if scene is None:
        raise MouthpieceError(f"The scene “{name}” was removed while its strip was being mixed down.")
    return scene


@contextmanager
def _desk(scene: str, strip: str, delay: int) -> Iterator[Scene]:
    """A copy of a scene in which one strip is heard alone, so many frames later."""
    known = set(bpy.data.actions)
    desk = _scene(scene).copy()
    try:
        heard = find_strip(desk, strip)
        _leave_only(desk, heard)
        if delay:
            _delay(desk, heard, delay)
        yield desk
    finally:
        compat.remove_scene(desk)
        for action in set(bpy.data.actions) - known:
            bpy.data.actions.remove(action)


def _delay(desk: Scene, strip: SoundStrip, frames: int) -> None:
    """Move a strip with all that is around it; Blender moves the keys of its volume along."""
    data = desk.animation_data
    if data and data.action:  # which the copied scene shares with the artist's own
        data.action = data.action.copy()
    outermost = [strip, *_metas_around(strip)][-1]
    outermost.frame_start += frames


def _mix(desk: Scene, first: int, end: int, fps: float) -> bytes:
    """16-bit samples of a scene's frames from `first` to before `end`; raises `MouthpieceError` where that fails."""
    desk.frame_start, desk.frame_end = first, end - 1
    try:
        return _render(desk, int(end * MIX_RATE / fps) - int(first * MIX_RATE / fps))
    except (OSError, RuntimeError, wave.Error, EOFError) as problem:
        raise MouthpieceError(f"The sound could not be mixed down: {problem}. Is the disk full?") from problem


def _leave_only(desk: Scene, strip: SoundStrip) -> None:
    """Mute everything but one strip, and take away what costs time and gives no sound."""
    for child in desk.collection.children[:]:
        desk.collection.children.unlink(child)
    for thing in desk.collection.objects[:]:
        desk.collection.objects.unlink(thing)
    heard = {one.name for one in (strip, *_metas_around(strip))}
    for one in compat.all_strips(desk):
        one.mute = one.name not in heard
    for channel in _channels(desk, strip):
        channel.mute = False


def _render(desk: Scene, samples: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mouthpiece-") as folder:
        path = Path(folder, "mix.wav")
        with bpy.context.temp_override(scene=desk):
            bpy.ops.sound.mixdown(
                filepath=str(path),
                check_existing=False,
                container="WAV",
                codec="PCM",
                format="S16",
                mixrate=MIX_RATE,
                channels="MONO",
            )
        with wave.open(str(path), "rb") as mixed:
            data = mixed.readframes(samples)
    if len(data) < 2 * (samples - MIX_RATE // 20):  # Blender says nothing where it could not write all of it
        raise EOFError("only a part of it could be written")
    return data.ljust(2 * samples, b"\0")


def _wav(samples: bytes | bytearray) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MIX_RATE)
        file.writeframes(samples)
    return content.getvalue()
