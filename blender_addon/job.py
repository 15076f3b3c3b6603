# SPDX-License-Identifier: GPL-3.0-or-later
"""One lip sync from strip to keys, the same for the interface, the command line and tests."""

from __future__ import annotations

import functools
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import bpy
from bpy.types import Object, Scene

from ..backend import protocol
from . import audio, probe
from .audio import Mixdown, StripSound
from .environment import Launch
from .errors import BadInput, Cancelled, MouthpieceError
from .motion import Motion
from .rig import own
from .rig.face import Face, face_of
from .rig.targets import targets_of
from .session import Session, State
from .writing.direction import directed
from .writing.ledger import Record
from .writing.options import WritingOptions
from .writing.staging import Placed, Writing, check_name

if TYPE_CHECKING:
    from bpy.types import SoundStrip

POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Choice:
    """What to generate: names and numbers only."""

    scene: str
    strip: str
    character: str
    """Name of the object with the shape keys."""
    model: str = "default"
    space: str = ""
    """A FaceSpace of the model; empty: its first one."""
    identity: str = "pivot"
    strength: float = 1.0
    action: str = ""
    """Name of a new action; empty: one made of the strip's and the character's name."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How the keys are written."""


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
    seconds: float
    """How long it took."""

    @property
    def sentence(self) -> str:
        """The result in one line."""
        frames = f"frames {self.first_frame} to {self.last_frame}"
        return f"“{self.character}” speaks: {len(self.shape_keys)} shape keys, {frames}."


@dataclass(frozen=True)
class Cast:
    """The datablocks that a choice names; they are good until the artist's next step."""

    scene: Scene
    strip: SoundStrip
    character: Object
    face: Face | None
    """None where only a model that was taught the character's own controls can move it."""


def cast(choice: Choice) -> Cast:
    """Look up what a choice names; raises `BadInput` with the first thing that makes it impossible."""
    scene = bpy.data.scenes.get(choice.scene)
    if scene is None:
        raise BadInput(f"There is no scene named “{choice.scene}”.")
    strip = audio.find_strip(scene, choice.strip)
    character = bpy.data.objects.get(choice.character)
    if character is None:
        raise BadInput(f"There is no object named “{choice.character}”.")
    return Cast(scene, strip, character, own.face_for(character, choice.model))


class Job:
    """A job from its beginning to its end: `advance` until it says so, `apply`, `report`."""

    def __init__(self, choice: Choice, launch: Launch, session: Session) -> None:
        """Check everything and begin; raises `MouthpieceError`, and nothing has begun."""
        self.choice, self._session, self._began = choice, session, time.monotonic()
        chosen = cast(choice)
        block = chosen.face.owners[0] if chosen.face else own.block_of(chosen.character)
        check_name(choice.action, block, choice.strip, choice.character)
        self._character_uid = chosen.character.session_uid
        heard = audio.listen(chosen.scene, chosen.strip)
        self._mixdown = heard if isinstance(heard, Mixdown) else None
        self._first_frame, self._last_frame = audio.frame_range(chosen.strip)
        self._fps = audio.frames_per_second(chosen.scene)
        self._writing: Writing | None = None
        self._is_taught = False
        """The model knows the character's own controls."""
        self.applied: Placed | None = None
        """Set once the keys are in place."""
        session.begin(launch)
        if isinstance(heard, StripSound):
            self._submit(heard)

    def advance(self, seconds: float = float("inf")) -> bool:
        """Do what can be done in about that time; whether the keys are ready to be put in place.

        Raises `MouthpieceError` where the job has failed or (`Cancelled`) was cancelled; nothing has changed then.
        """
        session = self._session
        session.pump()
        if session.failure:
            raise session.failure
        if not session.busy:
            raise Cancelled("Cancelled.")
        if self._mixdown and session.state is not State.CANCELLING:
            self._mix(self._mixdown)
        if session.motion is None:
            return False
        if self._writing is None:
            self._writing = self._begin_writing(session.motion)
        ready = self._writing.advance(seconds)
        session.stage, session.fraction = "writing", self._writing.fraction
        return ready

    def apply(self) -> None:
        """Put the keys in place: the one change of the file."""
        if self._session.motion is None or self._writing is None:
            raise MouthpieceError("There is no finished motion to write.")
        self.applied = self._writing.commit()

    def report(self) -> Report:
        """Look whether the character moves, and end the job."""
        if self._writing is None or self.applied is None:
            raise MouthpieceError("The keys have not been written.")
        character = self._character()
        face = None if self._is_taught else face_of(character)
        things = [part.thing for part in face.parts] if face else own.things_of(character)
        report = Report(
            **asdict(self._writing.record),
            actions=self.applied.actions,
            missing=face.match.missing if face else (),
            moved=self.applied.moved,
            warnings=tuple(probe.complaints(character, things, self._writing)),
            seconds=round(time.monotonic() - self._began, 3),
        )
        self._session.finish(report.sentence)
        return report

    def abandon(self, problem: MouthpieceError) -> None:
        """Clear away what was built; the session shows why."""
        if self._writing:
            self._writing.discard()
        if self._session.busy and not isinstance(problem, Cancelled):
            self._session.fail(problem)

    def _mix(self, mixdown: Mixdown) -> None:
        self._session.stage, self._session.fraction = "mixing", mixdown.fraction
        sound = mixdown.advance()
        if sound is not None:
            self._mixdown = None
            self._submit(sound)

    def _submit(self, sound: StripSound) -> None:
        self._session.submit(functools.partial(_request, self.choice, sound))

    def _begin_writing(self, motion: Motion) -> Writing:
        if len(motion.values) != self._last_frame - self._first_frame + 1:
            raise MouthpieceError(f"The backend answered with {len(motion.values)} frames, which do not fit the strip.")
        wanted = directed(motion, self.choice.strength, self.choice.writing)
        character = self._character()
        self._is_taught = own.is_taught(character, motion.names)
        curves = own.curves_of(character, wanted) if self._is_taught else targets_of(face_of(character), wanted)
        return Writing(self._record(motion), curves, self.choice.writing, self.choice.action)

    def _record(self, motion: Motion) -> Record:
        return Record(
            strip=self.choice.strip,
            character=self.choice.character,
            model=self.choice.model,
            space=motion.space,
            identity=self.choice.identity,
            strength=self.choice.strength,
            version=str(motion.metadata.get("version", "")),
            first_frame=self._first_frame,
            last_frame=self._last_frame,
            fps=self._fps,
            shape_keys=(),
        )

    def _character(self) -> Object:
        for character in bpy.data.objects:
            if character.session_uid == self._character_uid:
                return character
        raise MouthpieceError(f"The character “{self.choice.character}” was deleted while its motion was generated.")


def generate_lip_sync(choice: Choice, launch: Launch, session: Session) -> Report:
    """Do a whole job and wait for it; raises `MouthpieceError`, and nothing has changed."""
    job = Job(choice, launch, session)
    try:
        while not job.advance():
            time.sleep(POLL_SECONDS)
        job.apply()
        return job.report()
    except MouthpieceError as problem:
        job.abandon(problem)
        raise


def _request(choice: Choice, sound: StripSound, number: int) -> protocol.Generate:
    """Runs in the sending thread: no bpy."""
    import numpy as np

    return protocol.Generate(
        job=number,
        sound=np.frombuffer(sound.read(), np.uint8),
        start=sound.start,
        duration=sound.duration,
        model=choice.model,
        space=choice.space,
        fps=sound.fps,
        identity=choice.identity,
    )
