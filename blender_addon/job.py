# SPDX-License-Identifier: GPL-3.0-or-later
"""One lip sync from strip to keys, the same for the interface, the command line and tests."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bpy.types import Object, Scene

from . import audio, motion_export, phones, request, sound_file, transcripts
from .audio import Mixdown, StripSound
from .choice import Choice
from .environment import Launch
from .errors import BadInput, Cancelled, MouthpieceError, show, unforeseen
from .lookup import character_named, scene_named
from .performing import emotions, reference
from .performing.emotions import Feelings
from .performing.options import PerformanceOptions
from .placing import Performance, Placing, Report
from .request import Order
from .rig import own
from .rig.face import Face, named
from .session import Session, State
from .writing.staging import check_name

if TYPE_CHECKING:
    from bpy.types import SoundStrip

POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Cast:
    """The datablocks that a choice names; they are good until the artist's next step."""

    scene: Scene
    strip: SoundStrip | None
    """None where a sound file is spoken."""
    character: Object
    face: Face | None
    """None where only a model of the character's own controls or of its whole mesh can move it."""


def cast(choice: Choice) -> Cast:
    """Look up what a choice names; raises `BadInput` with the first thing that makes it impossible."""
    scene = scene_named(choice.scene)
    strip = None if choice.audio else audio.find_strip(scene, choice.strip)
    character = character_named(choice.character)
    return Cast(scene, strip, character, own.face_for(character, choice.model, named(choice.profile)))


def heard(chosen: Cast, choice: Choice) -> StripSound | Mixdown:
    """What is spoken; raises `BadInput` where it cannot be heard."""
    if chosen.strip is None:
        return sound_file.listen(chosen.scene, choice.audio, choice.first_frame)
    return audio.listen(chosen.scene, chosen.strip)


class Job:
    """A job from its beginning to its end: `advance` until it says so, `apply`, `report`."""

    def __init__(self, session: Session, performance: Performance | None = None) -> None:
        """Have a performance written; without one, `advance` has to come by it."""
        self._session = session
        self._placing: Placing | None = None
        self.performance = performance
        """What is written; set as soon as the model has made it, and good whatever comes of the writing."""

    @property
    def applied(self) -> bool:
        """Whether the keys are in place."""
        return self._placing is not None and self._placing.applied is not None

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
        if self.performance is None:
            self.performance = self._perform()
        if self.performance is None:
            return False
        if self._placing is None:
            self._placing = Placing(self.performance)
        ready = self._placing.advance(seconds)
        session.stage, session.fraction = "writing", self._placing.fraction
        return ready

    def apply(self) -> None:
        """Put the keys in place: the one change of the file."""
        if self._placing is None or not self._session.busy:
            raise MouthpieceError("There is no finished motion to write.")
        self._placing.apply()

    def report(self) -> Report:
        """Look whether the character moves, and end the job."""
        if self._placing is None:
            raise MouthpieceError("The keys have not been written.")
        report = self._placing.report()
        self._session.finish(report.sentence)
        return report

    def abandon(self, problem: MouthpieceError) -> None:
        """Clear away what was built; the session shows why."""
        if self._session.busy and not isinstance(problem, Cancelled):
            self._session.fail(problem)
        try:
            if self._placing:
                self._placing.discard()
        except Exception as fault:  # noqa: BLE001 (what went wrong first is what the artist is told)
            show(fault)

    def _perform(self) -> Performance | None:
        """Go on to a performance; None while there is none."""
        return None


class Generation(Job):
    """Has the model listen to a strip, and writes what it makes of it."""

    def __init__(self, choice: Choice, launch: Launch, session: Session) -> None:
        """Check everything and begin; raises `MouthpieceError`, and nothing has begun."""
        super().__init__(session)
        model = request.model_of(session.models, choice.model)
        asked = choice.performance.possible_with(model, choice.space)
        choice = replace(choice, performance=asked)
        choice.writing.check()
        if model or not asked.where_possible:  # else it turns out later how many there will be
            choice.writing.check_takes(asked.takes)
        chosen = cast(choice)
        self._sounds = [heard(chosen, choice)]
        self._choice = transcripts.completed(choice, chosen.strip)
        block = chosen.face.owners[0] if chosen.face else own.block_of(chosen.character)
        check_name(choice.action, block, choice.title, choice.character)
        self._character_uid = chosen.character.session_uid
        if asked.style_from:
            self._sounds.append(reference.listen(chosen.scene, asked.style_from))
        self._feelings = _felt(chosen.character, asked, self._sounds[0])
        session.begin(launch)
        self._submit_whole()

    def _perform(self) -> Performance | None:
        session = self._session
        if not self._is_whole and session.state is not State.CANCELLING:
            self._mix()
        if not session.takes or not self._is_whole:
            return None
        sound, frames = self._sounds[0], len(session.takes[0].values)
        if frames != sound.frames:
            raise MouthpieceError(
                f"The backend answered with {frames} frames, which do not fit the strip; generate again."
            )
        return Performance(self._choice, session.takes, sound.first_frame, sound.fps, self._character_uid)

    @property
    def _is_whole(self) -> bool:
        """Whether all that is to be heard is there."""
        return all(isinstance(sound, StripSound) for sound in self._sounds)

    def _mix(self) -> None:
        """Mix the next piece of the voice, or else of the recording whose style it takes."""
        number, mixdown = next((n, one) for n, one in enumerate(self._sounds) if isinstance(one, Mixdown))
        self._session.stage, self._session.fraction = "mixing", mixdown.fraction
        mixed = mixdown.advance()
        if mixed is not None:
            self._sounds[number] = mixed
            self._submit_whole()

    def _submit_whole(self) -> None:
        """Send the request once all that is to be heard is there."""
        whole = [sound for sound in self._sounds if isinstance(sound, StripSound)]
        if len(whole) == len(self._sounds):
            order = Order(self._choice, whole[0], whole[1] if len(whole) > 1 else None, self._feelings)
            self._session.submit(order.request)


class Rewriting(Job):
    """Writes a kept performance again, without the model."""

    def __init__(self, performance: Performance, choice: Choice, session: Session) -> None:
        """For the character and with the options of `choice`; raises `MouthpieceError`, and nothing has begun."""
        choice.writing.check()
        chosen = cast(choice)
        first = _first_frame(performance, chosen, choice)
        super().__init__(session, performance.again(choice, chosen.character, first))
        session.resume(performance.takes)


def generate_lip_sync(choice: Choice, launch: Launch, session: Session) -> Report:
    """Do a whole job and wait for it; raises `MouthpieceError`, and nothing has changed."""
    job = Generation(choice, launch, session)
    try:
        while not job.advance():
            time.sleep(POLL_SECONDS)
        job.apply()
        report = job.report()
    except MouthpieceError as problem:
        job.abandon(problem)
        raise
    except Exception as fault:
        job.abandon(unforeseen(fault))
        raise
    if choice.phones_file and job.performance:
        phones.write(Path(choice.phones_file), choice.visemes or job.performance.motion.phones)
    if choice.motion_file and job.performance:
        motion_export.write(Path(choice.motion_file), job.performance.takes)
    return report


def _first_frame(performance: Performance, chosen: Cast, choice: Choice) -> int:
    """Where a kept performance begins now; raises `BadInput` where it would no longer be in time."""
    made, rate = performance.fps, audio.frames_per_second(chosen.scene)
    if not math.isclose(made, rate, rel_tol=1e-6):
        raise BadInput(
            f"The result was made for {made:g} frames per second, and the scene has {rate:g} now. Generate it again."
        )
    if chosen.strip is None:
        return choice.first_frame
    first, last = audio.frame_range(chosen.strip)
    frames, there = len(performance.motion.values), last - first + 1
    if frames != there:
        raise BadInput(f"The result was made for {frames} frames, and the strip has {there} now. Generate it again.")
    return first


def _felt(character: Object, asked: PerformanceOptions, voice: StripSound | Mixdown) -> Feelings | None:
    """What is felt along the voice."""
    if asked.keyed:
        return emotions.keyed(character, voice.first_frame, voice.frames, voice.fps)
    return emotions.steady(asked.emotions)
