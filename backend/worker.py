# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server does with a request: find and keep models, make motion, say how it went."""

from __future__ import annotations

import gc
import json
import logging
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from . import audio, catalogue, checkpoint, device, pipeline, protocol
from .conversation import ClientGone, Conversation
from .version import version

EXPECTED = (audio.AudioError, catalogue.CatalogueError, checkpoint.CheckpointError, pipeline.RequestError)
_HEARD, _LOADED = 0.1, 0.05

_log = logging.getLogger(__name__)


class Worker:
    """Keeps loaded models and works on one request at a time."""

    def __init__(self, device_name: str, folders: Sequence[Path], conversation: Conversation) -> None:
        self._device = device.choose(device_name)
        self._folders = folders
        self._conversation = conversation
        self._models: dict[str, checkpoint.LoadedModel] = {}

    def introduction(self) -> protocol.Ready:
        """The first message: who we are and which models there are."""
        listing = catalogue.listing(self._folders)
        for problem in listing.problems:
            _log.warning(problem)
        models = tuple(
            protocol.ModelInfo(
                entry.name, entry.card.title, entry.spaces, entry.identities, entry.card.licence, entry.bytes
            )
            for entry in listing.entries
        )
        return protocol.Ready(protocol.VERSION, version(), self._device, models)

    def generate(self, request: protocol.Generate) -> None:
        """Work on one job until its end, or until nobody waits for it any more."""
        job = request.job
        try:
            self._conversation.end(self._animated(request))
        except pipeline.Stopped:
            _log.info("job %d was cancelled", job)
        except EXPECTED as error:
            self._conversation.end(protocol.Failed(job, str(error)))
        except (MemoryError, torch.OutOfMemoryError) as error:
            reason = f"There is not enough memory ({self._device}) for this job; close other programs and try again."
            self._conversation.end(protocol.Failed(job, reason, repr(error)))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 (the top of a job: the backend lives on)
            _log.exception("job %d failed", job)
            reason = f"The backend failed unexpectedly: {error or type(error).__name__}. Its log says more."
            self._conversation.end(protocol.Failed(job, reason, traceback.format_exc()))

    def unload(self) -> None:
        """Give the memory of all models back."""
        self._models.clear()
        gc.collect()
        if self._device == "cuda":
            torch.cuda.empty_cache()

    def _animated(self, request: protocol.Generate) -> protocol.Finished:
        """All frames of a job, sent as they come. Raises `pipeline.Stopped` when it was cancelled."""
        began, job, talk = time.monotonic(), request.job, self._conversation
        self._go_on(job)
        loaded = self._model(request)
        wanted = pipeline.Request(request.space, request.fps, request.identity, request.raw)
        planned = pipeline.plan(loaded, wanted)
        talk.progress(job, "listening", _LOADED)
        samples = audio.decode(request.sound.tobytes(), request.start, request.duration)
        self._go_on(job)
        talk.progress(job, "animating", _HEARD)
        frames, done = planned.frames(len(samples)), 0
        for chunk in pipeline.generate(loaded, samples, planned, lambda: not talk.waits_for(job)):
            talk.answer(protocol.Frames(job, chunk.start, chunk.values))
            done = chunk.start + len(chunk.values)
            talk.progress(job, "animating", _HEARD + (1 - _HEARD) * done / frames)
        seconds = round(time.monotonic() - began, 3)
        metadata = pipeline.metadata(loaded, wanted) | {"seconds": seconds}
        names = planned.space.channels
        return protocol.Finished(job, planned.space.name, planned.fps, done, names, json.dumps(metadata))

    def _model(self, request: protocol.Generate) -> checkpoint.LoadedModel:
        if request.model not in self._models:
            self._conversation.progress(request.job, "loading", 0.0)
            loaded = checkpoint.load(catalogue.find(request.model, self._folders))
            loaded.model.to(self._device)
            self._models[request.model] = loaded
        return self._models[request.model]

    def _go_on(self, job: int) -> None:
        if not self._conversation.waits_for(job):
            raise pipeline.Stopped
