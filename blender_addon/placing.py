# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model has made of a voice, and its way onto a character: kept, so that it can be written again."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import Object

from . import probe
from .errors import BadInput, MouthpieceError
from .motion import Motion
from .rig import own
from .rig.face import Face, face_of, named
from .rig.match import Match
from .rig.targets import Curve, curves_of
from .rig.weights import Value, values_of
from .vertices.writing import MeshWriting
from .visemes import scaled
from .writing import takes
from .writing.direction import directed
from .writing.ledger import Record
from .writing.staging import Placed, Writing
from .writing.take import Take

if TYPE_CHECKING:
    from .choice import Choice

PLURALS = {"shape key": "shape keys", "bone": "bones", "property": "properties"}


@dataclass(frozen=True)
class Made:
    """One take, as a report tells of it."""

    take: int
    seed: int | None
    actions: tuple[str, ...]
    """The actions that hold its keys."""


@dataclass(frozen=True, kw_only=True)
class Report(Record):
    """What a finished job has done, and what the artist should know about it."""

    actions: tuple[str, ...]
    """The actions that hold the keys and play; one for each mesh or armature that moves."""
    takes: tuple[Made, ...]
    """All takes that were made, the one that plays first."""
    missing: tuple[str, ...]
    """Controls of its rig convention that the character does not have."""
    moved: tuple[str, ...]
    """The artist's actions that now play from an NLA track."""
    warnings: tuple[str, ...]
    """A sentence for everything that keeps the motion from being seen."""
    driven: Mapping[str, int]
    """How many controls move: by kind, such as ``bone``; none where a mesh moves as a whole."""
    vertices: int
    """Of the mesh that moves as a whole; 0 where controls move it."""
    seconds: float
    """How long it took."""

    @property
    def sentence(self) -> str:
        """The result in one line."""
        frames = f"frames {self.first_frame} to {self.last_frame}"
        counted = " and ".join(
            f"{count} {kind if count == 1 else PLURALS[kind]}" for kind, count in self.driven.items()
        )
        what = f"a mesh of {self.vertices} vertices" if self.vertices else counted
        takes = f", {len(self.takes)} takes" if len(self.takes) > 1 else ""
        return f"“{self.character}” speaks: {what}, {frames}{takes}."


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
    plays: int = 0
    """Which of the takes is to play first, counted from 0."""

    @property
    def motion(self) -> Motion:
        """The first take; what is spoken when is the same in all of them."""
        return self.takes[0]

    def again(self, choice: Choice, character: Object, first_frame: int) -> Performance:
        """The same motion for a character and with writing options that may be others."""
        made = self.choice
        kept = replace(choice, model=made.model, space=made.space, identity=made.identity)
        kept = replace(kept, visemes=choice.visemes or made.visemes)
        return replace(self, choice=kept, first_frame=first_frame, character_uid=character.session_uid)._chosen()

    def _chosen(self) -> Performance:
        """Only those of its takes that the character still has, with the one that it shows; all where it has none."""
        there = takes.recorded(self.choice.title, self.choice.character)
        seeds = {one.record.seed: one.plays for one in there if one.record.model == self.choice.model}
        chosen = [take for take in self.takes if take.seed in seeds]
        plays = next((number for number, take in enumerate(chosen) if seeds[take.seed]), 0)
        return replace(self, takes=tuple(chosen), plays=plays) if chosen else self


class Placing:
    """A performance on its way into the file: `advance` until it says so, `apply`, `report`."""

    def __init__(self, performance: Performance) -> None:
        """Raises `MouthpieceError` where the character is gone or cannot take the keys."""
        self._performance, self._began = performance, time.monotonic()
        motion, character = performance.motion, self._character()
        _check_takes(performance)
        self._has_face = motion.neutral is None and not own.is_taught(character, motion.names)
        self._values = self._solve(character) if self._has_face else []
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
        """Forget what was built; what is in place stays."""
        if self._writing and self.applied is None:
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
            takes=_made(self._writing, self.applied),
            missing=face.match.missing if face else (),
            moved=self.applied.moved,
            warnings=(*self._notes(), *probe.complaints(character, things, self._writing)),
            driven=_driven(self._writing) if self._performance.motion.neutral is None else {},
            vertices=0 if self._performance.motion.neutral is None else len(self._performance.motion.neutral),
            seconds=round(time.monotonic() - self._began, 3),
        )

    def _solve(self, character: Object) -> list[Future[list[Value]]]:
        """The values of a face's controls, in a thread of their own: ten minutes of visemes take half a second."""
        match = self._face(character).match
        with_a_thread = ThreadPoolExecutor(1, "mouthpiece rig")
        solving = [with_a_thread.submit(self._solved, match, motion) for motion in self._performance.takes]
        with_a_thread.shutdown(wait=False)
        return solving

    def _solved(self, match: Match, motion: Motion) -> list[Value]:
        """Runs in a thread: no bpy."""
        wanted = self._wanted(motion)
        return values_of(match, wanted.names, wanted.values)

    def _face_writing(self, seconds: float) -> Writing | None:
        """Begin to write the controls of a face, or None where their values are not there within that time."""
        try:
            self._values[-1].result(None if seconds == math.inf else seconds)
        except TimeoutError:
            return None
        face = self._face(self._character())
        return self._begun([curves_of(face, solving.result()) for solving in self._values])

    def _own_writing(self, character: Object) -> Writing | MeshWriting:
        """Begin to write the motion of a model that was taught this character, or moves its whole mesh."""
        choice, motion, record = self._performance.choice, self._performance.motion, _record(self._performance, 0)
        if motion.neutral is None:
            wanted = [self._wanted(motion) for motion in self._performance.takes]
            return self._begun([own.curves_of(character, motion) for motion in wanted])
        frames, options = scaled(motion, choice.visemes).values, replace(choice.writing, beside=False)
        return MeshWriting(character, record, frames, motion.neutral, choice.mesh, options, choice.action)

    def _begun(self, curves: list[list[Curve]]) -> Writing:
        """The writing of all takes, given the curves of each."""
        performance, choice = self._performance, self._performance.choice
        made = [Take.of(_record(performance, number), curves[number]) for number in range(len(curves))]
        first = made.pop(performance.plays)
        return Writing([first, *made], choice.writing, choice.action)

    def _wanted(self, motion: Motion) -> Motion:
        """A motion with the artist's strengths."""
        choice = self._performance.choice
        return directed(scaled(motion, choice.visemes), choice.strength, choice.writing)

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
        raise MouthpieceError(
            f"The character “{name}” was deleted meanwhile. Choose another one and click Apply Last Result."
        )


def _check_takes(performance: Performance) -> None:
    """Raises `BadInput` where there are more takes than can be written."""
    performance.choice.writing.check_takes(len(performance.takes))
    if performance.motion.neutral is not None and len(performance.takes) > 1:
        raise BadInput("A whole mesh has one take at a time. Ask for one, and by other seeds for others.")


def _made(writing: Writing | MeshWriting, applied: Placed) -> tuple[Made, ...]:
    records = writing.records if isinstance(writing, Writing) else (writing.record,)
    told = zip(records, applied.takes, strict=True)
    return tuple(Made(record.take, record.seed, actions) for record, actions in told)


def _driven(writing: Writing | MeshWriting) -> dict[str, int]:
    """How many controls of each kind there are."""
    controls = dict.fromkeys((strand.owner, strand.kind, strand.title) for strand in writing.strands)
    return dict(Counter(kind for _, kind, _ in controls))


def _record(performance: Performance, number: int) -> Record:
    choice, motion, first = performance.choice, performance.takes[number], performance.first_frame
    return Record(
        strip=choice.title,
        character=choice.character,
        model=choice.model,
        space=motion.space,
        identity=str(motion.metadata.get("identity", choice.identity)),
        strength=choice.strength,
        version=str(motion.metadata.get("version", "")),
        first_frame=first,
        last_frame=first + len(motion.values) - 1,
        fps=performance.fps,
        shape_keys=(),
        take=number + 1,
        seed=motion.seed,
    )
