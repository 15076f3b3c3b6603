# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender and the backend say to each other: the messages.

Blender's side imports it too, and of the backend nothing else but the files of motion (`motion_file`, `npz`), inside
functions. How a message becomes bytes is in `wire`, how identities are called in lists in `identities`.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from typing import Annotated, BinaryIO, TypeAlias

from . import identities, wire
from .wire import Array, Layout

ProtocolError = wire.ProtocolError
label, labels = identities.label, identities.labels

VERSION = 4
"""Raised with every change of a message; both sides refuse another number."""


def _empty(dtype: str, *shape: int) -> Array:
    import numpy as np

    return np.zeros(shape, dtype)


# -------------------------------------------------------------------------------- messages: client to backend


@dataclass(frozen=True)
class Generate:
    """Ask for the motion of one stretch of sound.

    The sound travels as the bytes of its file, so that every Blender (with or without an audio library) gives the same
    samples and the backend opens no path out of a message.
    """

    job: int
    """Chosen by the client; every answer carries it."""
    sound: Annotated[Array, Layout("uint8", (1,))]
    """uint8 [bytes]: a whole sound file of any format libsndfile reads."""
    start: float
    """Second of the file at which the motion begins; silence is added where that lies before the file's start."""
    duration: float
    """Seconds of motion; silence is added beyond the file's end."""
    model: str
    """A name out of `Ready.models`."""
    space: str
    """A FaceSpace of that model; empty: the model's first one."""
    fps: float
    """Frames per second wanted; frame `i` lies at second ``start + i / fps``."""
    identity: str = "pivot"
    """A name, label or row number of the model's identity table, or ``pivot``."""
    raw: bool = False
    """The model's own numbers: no clamp, rest offset or audio levelling."""
    transcript: str = ""
    """What is spoken in the stretch, for the lips to follow; empty where nobody has written it down."""
    language: str = "en"
    """Of the transcript: a language of espeak-ng."""
    steps: int = 0
    """Denoising steps; 0: as many as the model was made for. This and what follows is for models that denoise."""
    seed: int = 0
    """Take i has the noise of seed + i."""
    takes: int = 1
    """Performances of the same sound, made at once."""
    guidance: float = 1.0
    """How far the motion follows the speech; 1: as it was learned."""
    reference: Annotated[Array, Layout("uint8", (1,))] = field(default_factory=lambda: _empty("uint8", 0))
    """uint8 [bytes]: a whole sound file in whose style is spoken, instead of an identity's; empty: none."""
    reference_start: float = 0.0
    """Second of that file at which what is heard of it begins."""
    reference_duration: float = 0.0
    """Seconds that are heard of it; 0: up to its end."""
    style: str = "nearest"
    """What the reference stands for: ``nearest``, the identity most like it, or ``heard``, itself."""
    emotions: tuple[str, ...] = ()
    """Names of what is felt; none: it is left to the model."""
    emotion_seconds: Annotated[Array, Layout("float32", (1,))] = field(default_factory=lambda: _empty("float32", 0))
    """float32 [points]: rising, counted from the first frame; weights change steadily from point to point."""
    emotion_weights: Annotated[Array, Layout("float32", (2,))] = field(default_factory=lambda: _empty("float32", 0, 0))
    """float32 [points, emotions]: how much of each, 0 or more."""


@dataclass(frozen=True)
class Cancel:
    """Stop a job; answered by `Cancelled`, or by the job's own end where that came first."""

    job: int


@dataclass(frozen=True)
class Unload:
    """Free the memory of all loaded models; the next job loads its own again."""


@dataclass(frozen=True)
class Look:
    """Look how things stand, in the folders of models too; answered by `Status` once the jobs before it are done."""


# -------------------------------------------------------------------------------- messages: backend to client


@dataclass(frozen=True)
class ModelInfo:
    """One model that the backend can run."""

    name: str
    title: str
    spaces: tuple[str, ...]
    identities: tuple[str, ...]
    """Names of the identity table without the pivot; empty where the model has one voice."""
    licence: str
    bytes: int
    meshes: tuple[str, ...] = ()
    """Those of its spaces whose motion is the vertices of a mesh."""
    steps: int = 0
    """Denoising steps that it was made for; 0: it does not denoise, so it has one take and hears no style."""
    most_steps: int = 0
    most_takes: int = 1
    """Takes of a sound that it gives at once."""
    emotions: tuple[str, ...] = ()
    """What it can be asked to feel."""


@dataclass(frozen=True)
class Ready:
    """The first message after the start."""

    protocol: int
    version: str
    """Mouthpiece's own version."""
    device: str
    """``cpu``, ``cuda`` or ``mps``."""
    models: tuple[ModelInfo, ...]


@dataclass(frozen=True)
class Status:
    """How things stand; the answer to `Look`."""

    models: tuple[ModelInfo, ...]
    """Those that there are now."""
    loaded: tuple[str, ...]
    """Names of those that are in memory."""
    device: str
    """What the device's maker calls it; empty where that is not known."""
    free: int
    """Bytes of the device's memory that are free; 0 where that is not known."""
    memory: int
    """Bytes of the device's memory, the graphics card's where models run on one; 0 where that is not known."""


@dataclass(frozen=True)
class Progress:
    """How far a job is; at most ten a second."""

    job: int
    stage: str
    """``queued``, ``loading``, ``listening`` (reading the sound) or ``animating``."""
    fraction: float
    """0 to 1 of the whole job."""


@dataclass(frozen=True)
class Neutral:
    """The face that nothing moves; sent before the first frames of a space that moves a mesh."""

    job: int
    vertices: Annotated[Array, Layout("float32", (2,))]
    """float32 [V, 3], in the unit of the frames that follow."""


@dataclass(frozen=True)
class Frames:
    """Finished frames of one take; each take's arrive in order, without gaps or overlap, once per audio window."""

    job: int
    start: int
    """Number of the first frame in `values`."""
    values: Annotated[Array, Layout("float32", (2, 3))]
    """float32 [frames, channels] for control spaces, [frames, vertices, 3] for spaces that move a mesh."""
    take: int = 0
    """Which of the takes they belong to, counted from 0."""


@dataclass(frozen=True)
class Phones:
    """Phones of a job in order, without gaps, some hundred at a time; sent before the first frames."""

    job: int
    names: tuple[str, ...]
    """As the transcript's pronunciation calls them; without a transcript, the visemes again."""
    visemes: tuple[str, ...]
    """The mouth shape of each: ``sil`` for a pause, ``pb``, ``m``, ``fv``, … or, in capitals, a vowel."""
    times: Annotated[Array, Layout("float32", (2,))]
    """float32 [phones, 2]: start and end in seconds, counted from the first frame."""


@dataclass(frozen=True)
class Finished:
    """A job's good end: every frame of every take has been sent."""

    job: int
    space: str
    fps: float
    frames: int
    """Of each take."""
    names: tuple[str, ...]
    """Channel names, in the order of the columns; empty for spaces that move a mesh."""
    metadata: tuple[str, ...]
    """Of each take, JSON text: model, identity, version, seconds taken, seed and steps where it has them; of a
    transcript whether it was followed, and a note on it."""


@dataclass(frozen=True)
class Failed:
    """A job's bad end, or (job 0) a fault of the backend itself."""

    job: int
    reason: str
    """One sentence for the artist, with what to do."""
    detail: str = ""
    """A traceback for the log; empty for expected errors."""


@dataclass(frozen=True)
class Cancelled:
    """A job ended because it was asked to."""

    job: int


Request: TypeAlias = Generate | Cancel | Unload | Look
Reply: TypeAlias = Ready | Status | Progress | Neutral | Phones | Frames | Finished | Failed | Cancelled
Message: TypeAlias = Request | Reply


_KINDS: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Message)}


def write(stream: BinaryIO, message: Message) -> None:
    """Send one message through a buffered binary stream and flush it; see `wire.write`."""
    wire.write(stream, message, _KINDS)


def read(stream: BinaryIO) -> Message | None:
    """Wait for one message; None at a clean end of the stream; see `wire.read`."""
    return wire.read(stream, _KINDS)
