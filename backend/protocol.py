# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender and the backend say to each other: the messages.

The only file of the backend that Blender's side imports; how a message becomes bytes is in `wire`.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Annotated, BinaryIO, TypeAlias

from . import wire
from .wire import Array, Layout

ProtocolError = wire.ProtocolError

VERSION = 2
"""Raised with every change of a message; both sides refuse another number."""


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
    """A name or row number of the model's identity table, or ``pivot``."""
    raw: bool = False
    """The model's own numbers: no clamp, rest offset or audio levelling."""
    transcript: str = ""
    """What is spoken in the stretch, for the lips to follow; empty where nobody has written it down."""
    language: str = "en"
    """Of the transcript: a language of espeak-ng."""


@dataclass(frozen=True)
class Cancel:
    """Stop a job; answered by `Cancelled`, or by the job's own end where that came first."""

    job: int


@dataclass(frozen=True)
class Unload:
    """Free the memory of all loaded models; the next job loads its own again."""


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
    """Finished frames of a job; they arrive in order, without gaps or overlap, once per audio window."""

    job: int
    start: int
    """Number of the first frame in `values`."""
    values: Annotated[Array, Layout("float32", (2, 3))]
    """float32 [frames, channels] for control spaces, [frames, vertices, 3] for spaces that move a mesh."""


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
    """A job's good end: every frame has been sent."""

    job: int
    space: str
    fps: float
    frames: int
    names: tuple[str, ...]
    """Channel names, in the order of the columns; empty for spaces that move a mesh."""
    metadata: str
    """JSON text: model, identity, version, seconds taken; of a transcript whether it was followed, and a note on it."""


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


Request: TypeAlias = Generate | Cancel | Unload
Reply: TypeAlias = Ready | Progress | Neutral | Phones | Frames | Finished | Failed | Cancelled
Message: TypeAlias = Request | Reply


_KINDS: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Message)}


def write(stream: BinaryIO, message: Message) -> None:
    """Send one message through a buffered binary stream and flush it; see `wire.write`."""
    wire.write(stream, message, _KINDS)


def read(stream: BinaryIO) -> Message | None:
    """Wait for one message; None at a clean end of the stream; see `wire.read`."""
    return wire.read(stream, _KINDS)
