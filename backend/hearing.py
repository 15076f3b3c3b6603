# SPDX-License-Identifier: GPL-3.0-or-later
"""Which phones a model hears, and when it hears lips shut: its auxiliary heads over a whole sound, window by window."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from . import memory, windows
from .interruption import watched
from .phonetics.phones import CLASSES
from .sound import Samples, speech_gain

if TYPE_CHECKING:
    from torch import Tensor, nn

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


def overhears(listener: LoadedModel, speaker: LoadedModel) -> bool:
    """Whether a listener's encoder hears a sound anyway when a speaker's motion is made: it is the speaker's own."""
    from .models.diffusion_talker import DiffusionTalker

    if isinstance(speaker.model, DiffusionTalker):
        return _is_copy(speaker.model.mel, cast("UniTalker", listener.model).encoder)
    return speaker.model is listener.model and speaker.model.config.interpolate_position != 0


def _is_copy(one: nn.Module | None, other: nn.Module) -> bool:
    """Whether two encoders give the same answers."""
    if one is None or type(one) is not type(other) or one.config != other.config:
        return False
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(mine.device == theirs.device and mine.equal(theirs) for mine, theirs in pairs)


class Ears:
    """What a listener hears in a sound, told window by window by whoever lets its encoder listen."""

    def __init__(self, listener: LoadedModel, take: Callable[[np.ndarray], None]) -> None:
        """The listener must have the heads (`has_ears`).

        `take` is given all `readings`, float32 [readings, classes + 1], in order and as soon as they are settled.
        """
        self.model = cast("UniTalker", listener.model)
        self._take = take
        self._joint = windows.CrossFade(FPS)

    def readings(self, heads: Mapping[str, Tensor]) -> np.ndarray:
        """What the heads say, [B, t, ...] each, as float32 [B, t, classes + 1].

        They are logarithms of the probabilities of the phones, and the probability that the lips are shut.
        """
        import torch

        phones, shut = heads[PHONE_HEAD].log_softmax(-1), heads[CLOSURE_HEAD].sigmoid()
        return torch.cat((phones, shut), dim=-1).float().cpu().numpy()

    @contextlib.contextmanager
    def at(self, encoder: nn.Module) -> Iterator[list[np.ndarray]]:
        """Inside, what is heard in the features [B, t, width] of an encoder that is the listener's: its `readings`."""
        found: list[np.ndarray] = []

        def overhear(_encoder: nn.Module, _sound: object, features: Tensor) -> None:
            found.append(self.readings(self.model.readings(features)))

        handle = encoder.register_forward_hook(overhear)
        try:
            yield found
        finally:
            handle.remove()

    def keep(self, readings: np.ndarray) -> None:
        """Take the readings of the next window, float32 [its frames at `FPS`, classes + 1]."""
        self._take(self._joint.push(readings))

    def end(self) -> None:
        """There are no more windows."""
        self._take(self._joint.rest())


def listen(loaded: LoadedModel, samples: Samples, go_on: Callable[[], None] = lambda: None) -> Heard:
    """Phones and closures of `samples`, ``n / 320`` readings rounded; `loaded` and `go_on` as for `attend`."""
    settled: list[np.ndarray] = []
    attend(Ears(loaded, settled.append), samples, go_on)
    readings = np.concatenate(settled)
    return Heard(readings[:, :-1], readings[:, -1])


def attend(ears: Ears, samples: Samples, go_on: Callable[[], None] = lambda: None) -> None:
    """Let ears hear `samples` through their listener's own encoder.

    `go_on` is called before every window and every layer of a big model, and may raise to stop.
    """
    import torch

    gain = speech_gain(samples)
    device = next(ears.model.parameters()).device

    def read(sounds: np.ndarray, counts: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        with watched(ears.model, go_on):
            heads = ears.model.read(torch.from_numpy(sounds * gain).to(device))
        return (ears.readings(heads)[:, : counts[0]],)

    for window in windows.windows(len(samples)):
        go_on()
        sound = samples[window.start : window.stop]
        ((readings,),) = memory.in_parts(read, sound[None], (window.frames(FPS),), (FPS,))
        ears.keep(readings)
    ears.end()
