# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model has made of a voice, and its way onto a character: kept, so that it can be written again."""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Object

from . import probe
from .errors import MouthpieceError
from .motion import Motion
from .rig import own
from .rig.face import Face, face_of, named
from .rig.targets import curves_of
from .rig.weights import Value, values_of
from .vertices.writing import MeshWriting
from .visemes import scaled
from .writing.direction import directed
from .writing.ledger import Record
from .writing.staging import Placed, Writing

if TYPE_CHECKING:
    from .job import Choice


@dataclass(frozen=True)
class Report(Record):
    """What a finished job has done, and what the artist should know about it."""

    actions: tuple[str, ...]
    """The actions that hold the keys; one for each mesh or armature that moves."""
    missing: tuple[str, ...]
    """Shape keys of its rig convention that the character does not have."""
    moved: tuple[str, ...]
    """The artist's actions that now play from an NLA track."""
    warnings: tuple[str, ...]
    """A sentence for everything that keeps the motion from being seen."""
    vertices: int
    """Of the mesh that moves as a whole; 0 where controls move it."""
    seconds: float
    """How long it took."""

    @property
    def sentence(self) -> str:
        """The result in one line."""
        frames = f"frames {self.first_frame} to {self.last_frame}"
        what = f"a mesh of {self.vertices} vertices" if self.vertices else f"{len(self.shape_keys)} shape keys"
        return f"“{self.character}” speaks: {what}, {frames}."


@dataclass(frozen=True, eq=False)
class Performance:
    """A finished motion with all that is needed to write it."""

    choice: Choice
    takes: tuple[Motion, ...]
    """What the model made of the voice: one motion, or several to choose from."""
    first_frame: int
    fps: float
    """Of the scene."""
    character_uid: int
    """The character's `session_uid`: it may be renamed meanwhile."""

    @property
    def motion(self) -> Motion:
        """The first take; what is spoken when is the same in all of them."""
        return self.takes[0]

    def again(self, choice: Choice, character: Object, first_frame: int) -> Performance:
        """The same motion for a character and with writing options that may be others."""
        made = self.choice
        kept = replace(choice, model=made.model, space=made.space, identity=made.identity)
        kept = replace(kept, visemes=choice.visemes or made.visemes)
        return replace(self, choice=kept, first_frame=first_frame, character_uid=character.session_uid)


class Placing:
    """A performance on its way into the file: `advance` until it says so, `apply`, `report`."""

    def __init__(self, performance: Performance) -> None:
        """Raises `MouthpieceError` where the character is gone or cannot take the keys."""
        self._performance, self._began = performance, time.monotonic()
        motion, character = performance.motion, self._character()
        self._has_face = motion.neutral is None and not own.is_taught(character, motion.names)
        self._values: Future[list[Value]] | None = self._solve(character) if self._has_face else None
        self._writing = None if self._has_face else self._own_writing(character)
        self.applied: Placed | None = None
        """Set once the keys are in place."""

    @property
    def fraction(self) -> float:
        """How much of it is built, 0 to 1."""
        return self._writing.fraction if self._writing else 0.0

    def advance(self, seconds: float) -> bool:
        """Build for about that long; whether the keys are ready to be put in place.

        Raises `MouthpieceError` where the motion does not move the character, or it cannot take the keys.
        """
        if self._writing is None:
            self._writing = self._face_writing(seconds)
        return self._writing is not None and self._writing.advance(seconds)

    def apply(self) -> None:
        """Put the keys in place: the one change of the file."""
        if self._writing is None:
            raise MouthpieceError("There is no finished motion to write.")
        self.applied = self._writing.commit()

    def discard(self) -> None:
        """Forget what was built."""
        if self._writing:
            self._writing.discard()

    def report(self) -> Report:
        """Look whether the character moves."""
        if self._writing is None or self.applied is None:
            raise MouthpieceError("The keys have not been written.")
        character = self._character()
        face = self._face(character) if self._has_face else None
        things = [part.thing for part in face.parts] if face else own.things_of(character)
        return Report(
            **asdict(self._writing.record),
            actions=self.applied.actions,
            missing=face.match.missing if face else (),
            moved=self.applied.moved,
            warnings=(*self._notes(), *probe.complaints(character, things, self._writing)),
            vertices=0 if self._performance.motion.neutral is None else len(self._performance.motion.neutral),
            seconds=round(time.monotonic() - self._began, 3),
        )

    def _solve(self, character: Object) -> Future[list[Value]]:
        """The values of a face's controls, in a thread of their own: ten minutes of visemes take half a second."""
        match, wanted = self._face(character).match, self._wanted()
        with_a_thread = ThreadPoolExecutor(1, "mouthpiece rig")
        solving = with_a_thread.submit(values_of, match, wanted.names, wanted.values)
        with_a_thread.shutdown(wait=False)
        return solving

    def _face_writing(self, seconds: float) -> Writing | None:
        """Begin to write the controls of a face, or None where their values are not there within that time."""
        choice, values = self._performance.choice, self._values
        try:
            solved = values.result(None if seconds == math.inf else seconds) if values else []
        except TimeoutError:
            return None
        curves = curves_of(self._face(self._character()), solved)
        return Writing(_record(self._performance), curves, choice.writing, choice.action)

    def _own_writing(self, character: Object) -> Writing | MeshWriting:
        """Begin to write the motion of a model that was taught this character."""
        choice, motion, record = self._performance.choice, self._performance.motion, _record(self._performance)
        if motion.neutral is None:
            return Writing(record, own.curves_of(character, self._wanted()), choice.writing, choice.action)
        frames = scaled(motion, choice.visemes).values
        return MeshWriting(character, record, frames, motion.neutral, choice.mesh, choice.writing, choice.action)

    def _wanted(self) -> Motion:
        """The motion with the artist's strengths."""
        choice = self._performance.choice
        return directed(scaled(self._performance.motion, choice.visemes), choice.strength, choice.writing)

    def _face(self, character: Object) -> Face:
        return face_of(character, named(self._performance.choice.profile))

    def _notes(self) -> list[str]:
        """What the backend has to say about the transcript."""
        choice = self._performance.choice
        note = str(self._performance.motion.metadata.get("transcript_note", ""))
        if choice.sidecar and not choice.transcript:
            note = "There is no text file beside the sound, so its words are not known."
        return [note] if note else []

    def _character(self) -> Object:
        for character in bpy.data.objects:
            if character.session_uid == self._performance.character_uid:
                return character
        name = self._performance.choice.character
        raise MouthpieceError(f"The character “{name}” was deleted while its motion was generated.")


def _record(performance: Performance) -> Record:
    choice, motion, first = performance.choice, performance.motion, performance.first_frame
    return Record(
        strip=choice.title,
        character=choice.character,
        model=choice.model,
        space=motion.space,
        identity=choice.identity,
        strength=choice.strength,
        version=str(motion.metadata.get("version", "")),
        first_frame=first,
        last_frame=first + len(motion.values) - 1,
        fps=performance.fps,
        shape_keys=(),
    )
