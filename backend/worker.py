# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server does with a request: find and keep models, make motion, say how it went."""

from __future__ import annotations

import gc
import json
import logging
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from . import (
    animating,
    audio,
    catalogue,
    checkpoint,
    device,
    hearing,
    known_words,
    machine,
    memory,
    pipeline,
    planning,
    precision,
    protocol,
    trial,
    wish,
)
from .animating import Listening, Waiting
from .conversation import ClientGone, Conversation
from .foreign import flame_file
from .known_words import Transcript
from .phone_track import PhoneTrack
from .phonetics.pronunciation import PronunciationError
from .sound import Sound
from .version import version

EXPECTED = (
    audio.AudioError,
    catalogue.CatalogueError,
    checkpoint.CheckpointError,
    planning.RequestError,
    PronunciationError,
)
_LOADED = 0.05
"""Share of a job that loading its model counts as."""
_PHONES_AT_ONCE = 1000

_log = logging.getLogger(__name__)

Version: TypeAlias = tuple[Path, int, int]
"""A model's file, when it was written, and its size: whoever trains into the same file makes another version."""


@dataclass(frozen=True)
class Kept:
    """A model that is loaded, and what it was read from."""

    loaded: checkpoint.LoadedModel
    version: Version


class Worker:
    """Keeps loaded models and works on one request at a time."""

    def __init__(
        self,
        device_name: str,
        folders: Sequence[Path],
        flame: Path | None,
        dictionary: Path | None,
        conversation: Conversation,
        precision_name: precision.Precision = "auto",
    ) -> None:
        """`flame`: the artist's FLAME file, with which FLAME parameters are answered as vertices.

        `dictionary`: the artist's pronunciation dictionary, for transcripts. Raises `DeviceError`, `PrecisionError`,
        `FlameFileError`.
        """
        machine.suit_machine()
        self._device_name, self._device = device_name, device.choose(device_name)
        self._precision: precision.Precision = precision.choose(precision_name, self._device)
        self._folders = folders
        self._flame = None if flame is None else flame_file.mesh(flame)
        self._dictionary = dictionary
        self._conversation = conversation
        self._models: dict[str, Kept] = {}

    def introduction(self) -> protocol.Ready:
        """The first message: who we are and which models there are."""
        return protocol.Ready(protocol.VERSION, version(), self._device, self._known())

    def status(self) -> protocol.Status:
        """Which models there are now, which are loaded, and how much memory is left."""
        left = device.memory(self._device)
        try:
            known = self._known()
        except catalogue.CatalogueError as error:  # a folder has been taken away since; a job that needs it will say so
            _log.warning(error)
            known = ()
        return protocol.Status(known, tuple(self._models), device.title(self._device), left.free, left.all)

    def _known(self) -> tuple[protocol.ModelInfo, ...]:
        listing = catalogue.listing(self._folders)
        for problem in listing.problems:
            _log.warning(problem)
        return tuple(self._about(entry) for entry in listing.entries)

    def _about(self, entry: catalogue.Entry) -> protocol.ModelInfo:
        kinds = {"vertices"} if self._flame is None else {"vertices", "flame"}
        meshes = tuple(name for name, kind in zip(entry.spaces, entry.kinds, strict=True) if kind in kinds)
        return protocol.ModelInfo(
            entry.name,
            entry.card.title,
            entry.spaces,
            entry.identities,
            entry.card.licence,
            entry.bytes,
            meshes,
            entry.steps,
            entry.most_steps,
            entry.most_takes,
            entry.emotions,
        )

    def generate(self, request: protocol.Generate) -> None:
        """Work on one job until its end, or until nobody waits for it any more."""
        job = request.job
        try:
            self._conversation.end(self._animated(request))
        except pipeline.Stopped:
            _log.info("job %d was cancelled", job)
        except EXPECTED as error:
            self._conversation.end(protocol.Failed(job, str(error)))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 (the top of a job: the backend lives on)
            _log.exception("job %d failed", job)
            self._conversation.end(self._failed(job, error))

    def _failed(self, job: int, error: Exception) -> protocol.Failed:
        if memory.ran_out(error):
            self.unload()
            reason = f"There is not enough memory ({self._device}) for this job; close other programs and try again."
            return protocol.Failed(job, reason)
        reason = f"The backend failed unexpectedly: {error or type(error).__name__}. Its log says more."
        return protocol.Failed(job, reason, traceback.format_exc())

    def unload(self) -> None:
        """Give the memory of all models back."""
        self._models.clear()
        gc.collect()
        device.release(self._device)

    def _animated(self, request: protocol.Generate) -> protocol.Finished:
        """All frames of a job, sent as they come. Raises `pipeline.Stopped` when it was cancelled."""
        began, job, talk = time.monotonic(), request.job, self._conversation
        self._go_on(job)
        loaded = self._model(request.model, job)
        talk.progress(job, "listening", _LOADED)
        wanted = wish.of(request, loaded)
        planned = planning.plan(loaded, wanted)
        samples = Sound(request.sound.data, request.start, request.duration, lambda: self._go_on(job))
        listening = self._listening(request, loaded)
        talk.progress(job, "animating", _LOADED)
        if planned.space.moves_mesh:
            talk.answer(protocol.Neutral(job, pipeline.neutral(loaded, planned)))
        frames, takes = planned.frames(len(samples)), wanted.performance.count
        parts = animating.animate(loaded, samples, planned, listening, lambda: not talk.waits_for(job))
        track = self._tell(job, parts, frames * takes)
        words = {"seconds": round(time.monotonic() - began, 3)} | known_words.about(track)
        metadata = tuple(json.dumps(planning.metadata(loaded, wanted, take) | words) for take in range(takes))
        return protocol.Finished(job, planned.space.name, planned.fps, frames, planned.channels, metadata)

    def _tell(self, job: int, parts: Iterable[animating.Part], frames: int) -> PhoneTrack | None:
        """Send what comes, and how far it is of so many frames; gives the phones."""
        done, track = 0, None
        for part in parts:
            match part:
                case PhoneTrack():
                    track = part
                    self._tell_phones(job, part)
                case Waiting():
                    done += part.frames
                case pipeline.Chunk():
                    self._conversation.answer(protocol.Frames(job, part.start, part.values, part.take))
                    done += len(part.values)
            self._conversation.progress(job, "animating", _LOADED + (1 - _LOADED) * min(done / max(frames, 1), 1.0))
        return track

    def _listening(self, request: protocol.Generate, loaded: checkpoint.LoadedModel) -> Listening | None:
        """Who listens to a job; nobody where there is no transcript and the model hears no phones by itself."""
        written = request.transcript.strip()
        transcript = Transcript(written, request.language, self._dictionary) if written else None
        if hearing.has_ears(loaded):
            return Listening(loaded, transcript)
        if transcript is None:
            return None
        return Listening(self._model(known_words.LISTENER, request.job), transcript)

    def _tell_phones(self, job: int, track: PhoneTrack) -> None:
        for first in range(0, len(track.phones), _PHONES_AT_ONCE):
            names, visemes, *times = zip(*track.phones[first : first + _PHONES_AT_ONCE], strict=True)
            self._conversation.answer(protocol.Phones(job, names, visemes, np.array(times, np.float32).T))

    def _model(self, name: str, job: int) -> checkpoint.LoadedModel:
        file = catalogue.find(name, self._folders)
        version, kept = _version(file), self._models.get(name)
        if kept is None or kept.version != version:
            self._conversation.progress(job, "loading", 0.0)
            self._models.pop(name, None)
            self._models[name] = Kept(self._loaded(file), version)
        return self._models[name].loaded

    def _loaded(self, file: Path) -> checkpoint.LoadedModel:
        """A model on its device; where memory does not suffice, the others are let go first."""
        try:
            return self._read(file)
        except Exception as error:
            if not memory.ran_out(error) or not self._models:
                raise
        self.unload()
        return self._read(file)

    def _read(self, file: Path) -> checkpoint.LoadedModel:
        loaded = checkpoint.load(file)
        loaded = trial.ready(loaded, self._device_name, self._precision)
        return loaded if self._flame is None else loaded.with_flame(self._flame)

    def _go_on(self, job: int) -> None:
        if not self._conversation.waits_for(job):
            raise pipeline.Stopped


def _version(file: Path) -> Version:
    """Of a file that cannot be looked at it is none in particular: reading it says what is wrong."""
    try:
        about = file.stat()
    except OSError:
        return file, 0, 0
    return file, about.st_mtime_ns, about.st_size
