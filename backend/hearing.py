# SPDX-License-Identifier: GPL-3.0-or-later
"""Which phones a model hears, and when it hears lips shut: its auxiliary heads over a whole sound, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from . import audio, memory, windows
from .interruption import watched
from .phonetics.phones import CLASSES

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .models.unitalker import UniTalker

PHONE_HEAD, CLOSURE_HEAD = "viseme", "closure"
"""Names of the heads: one number for each of `CLASSES`, and one that is above 0 where the lips are shut."""
FPS = 50.0
"""Readings per second; the first one at second 0."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a model hears in a sound."""

    phones: np.ndarray
    """float32 [readings, classes]: logarithms of the probabilities of `CLASSES`."""
    closures: np.ndarray
    """float32 [readings]: how probable it is that the lips are shut."""


def has_ears(loaded: LoadedModel) -> bool:
    """Whether a model has the heads that `listen` reads."""
    from .models.unitalker import UniTalker

    if not isinstance(loaded.model, UniTalker):
        return False
    heads = {head.name: head.dim for head in loaded.model.config.auxiliary}
    return heads.get(PHONE_HEAD) == len(CLASSES) and heads.get(CLOSURE_HEAD) == 1


def listen(loaded: LoadedModel, samples: np.ndarray, go_on: Callable[[], None] = lambda: None) -> Heard:
    """Phones and closures of `samples` (float32 [n], mono, 16 kHz), ``n / 320`` readings rounded.

    `go_on` is called before every window and may raise to stop. The model must have the heads (`has_ears`).
    """
    readings = np.concatenate(list(windows.cross_fade(_readings(loaded, samples, go_on), FPS)))
    return Heard(readings[:, :-1], readings[:, -1])


def _readings(loaded: LoadedModel, samples: np.ndarray, go_on: Callable[[], None]) -> Iterator[np.ndarray]:
    """float32 [readings, classes + 1] of each window: log-probabilities of the phones, probability of a closure."""
    import torch

    model = cast("UniTalker", loaded.model)
    device = next(model.parameters()).device
    gain = np.float32(audio.speech_gain(samples))

    def read(sounds: np.ndarray, count: int) -> np.ndarray:
        with watched(model, go_on):
            heads = model.read(torch.from_numpy(sounds * gain).to(device))
        phones, shut = heads[PHONE_HEAD].log_softmax(-1), heads[CLOSURE_HEAD].sigmoid()
        return torch.cat((phones, shut), dim=-1)[:, :count].float().cpu().numpy()

    for window in windows.windows(len(samples)):
        go_on()
        count = windows.frame_count(window.stop, FPS) - windows.frame_count(window.start, FPS)
        yield memory.in_parts(read, samples[None, window.start : window.stop], count, FPS)[0]
