# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes of a UniTalker that are recorded once for each of a few shapes, and from then on only replayed.

A graphics card does most of such a pass faster than Python can ask for it. Replaying asks once: sounds are padded to
one of two lengths and copied to where the recorded pass finds them. A recording is used only if it says of a short
sound what the plain model in float32 says; where it does not, or cannot be made, everything goes on without it.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from .fidelity import LARGEST_ERROR, Original
from .models.layers import Lengths
from .models.unitalker import UniTalker
from .windows import SAMPLE_RATE, WINDOW_SECONDS

SECONDS = (10, WINDOW_SECONDS)
"""Sounds are padded to the first of these that they fit into."""
AT_ONCE = 8
"""Sounds of one pass; of fewer, each has a pass of its own."""

Record: TypeAlias = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]
"""Does some work and gives what does it again, on what then lies in the same tensors, without its Python.

The answer is good until anything is replayed. Raises `RuntimeError` where the work cannot be recorded.
"""

_log = logging.getLogger(__name__)


class Shape(NamedTuple):
    """What is fixed in a recorded pass."""

    sounds: int
    seconds: int
    space: str

    def __str__(self) -> str:
        return f"{self.sounds} × {self.seconds} s in {self.space}"


class Pass:
    """One recorded pass, and the tensors where it finds what it hears."""

    @torch.no_grad()
    def __init__(self, model: UniTalker, shape: Shape, fps: float, record: Record) -> None:
        """Raises `RuntimeError` where it cannot be recorded, for want of memory, too."""
        device = next(model.parameters()).device
        samples, frames = shape.seconds * SAMPLE_RATE, round(shape.seconds * fps)
        self._sounds = torch.zeros(shape.sounds, samples, device=device)
        self._lengths = Lengths(*(torch.full((shape.sounds,), count, device=device) for count in (samples, frames)))
        self._rows = torch.zeros(shape.sounds, dtype=torch.int64, device=device)
        template = model.template(shape.space)
        self._again = record(
            lambda: model(self._sounds, shape.space, frames, self._rows, template, self._lengths).values
        )

    @torch.no_grad()
    def __call__(self, sounds: Tensor, frames: int, row: int) -> Tensor:
        """The motion of sounds float32 [sounds, n]: float32 [sounds, frames, dim], copied to the processor."""
        self._sounds.zero_()
        self._sounds[:, : sounds.shape[1]].copy_(sounds)
        self._lengths.samples.fill_(sounds.shape[1])
        self._lengths.frames.fill_(frames)
        self._rows.fill_(row)
        return self._again()[:, :frames].to("cpu", copy=True)


class Replays:
    """The recorded passes of one model."""

    def __init__(self, model: UniTalker, rates: Mapping[str, float], original: Original, record: Record) -> None:
        """`rates`: frames per second of each space. `original`: what the model said in float32."""
        self._model, self._rates, self._original, self._record = model, dict(rates), original, record
        self._passes: dict[Shape, Pass | None] = {}
        self._asked: set[Shape] = set()

    def predict(self, samples: np.ndarray, space: str, frames: int, row: int | None) -> np.ndarray | None:
        """`UniTalker.predict` for float32 [sounds, n]; None where there is no recording of such a shape (yet).

        A shape is recorded when it comes the second time: the first time somebody waits for one answer only.
        """
        seconds = next((most for most in SECONDS if samples.shape[1] <= most * SAMPLE_RATE), None)
        if seconds is None or frames > round(seconds * self._rates[space]):
            return None
        together = AT_ONCE if len(samples) == AT_ONCE else 1
        recorded = self._recording(Shape(together, seconds, space))
        if recorded is None:
            return None
        pivot = self._model.config.identity_count - 1
        groups = torch.from_numpy(samples).split(together)
        return np.concatenate(
            [recorded(group, frames, pivot if row is None else row).cpu().numpy() for group in groups]
        )

    def forget(self) -> None:
        """Give the memory of all recordings back; they are not made again."""
        self._passes = dict.fromkeys(self._passes)
        gc.collect()

    def _recording(self, shape: Shape) -> Pass | None:
        if shape not in self._passes:
            if shape not in self._asked:
                self._asked.add(shape)
                return None
            self._passes[shape] = self._recorded(shape)
        return self._passes[shape]

    def _recorded(self, shape: Shape) -> Pass | None:
        """A pass that was found to say what it should; None, and a warning, where there is none."""
        try:
            made = Pass(self._model, shape, self._rates[shape.space], self._record)
            error = self.error(made, shape)
        except RuntimeError as problem:  # what torch raises for everything, a full memory included
            _log.warning("Passes for %s cannot be recorded (%s); they go on without.", shape, problem)
            return None
        if not error <= LARGEST_ERROR:
            _log.warning("A recorded pass for %s is off by %.2g of the range; it is not used.", shape, error)
            return None
        _log.info("a pass for %s is recorded; its largest error is %.2g of the range", shape, error)
        return made

    def error(self, recorded: Pass, shape: Shape) -> float:
        """The largest error of a recorded pass, of the range of what the plain model in float32 says.

        Every other sound is silence, so that sounds which leak into each other are found out.
        """
        probe, fps = self._original.probe, self._rates[shape.space]
        sounds = probe.repeat(shape.sounds, 1)
        sounds[1::2] = 0
        motion = recorded(sounds, self._original.frames(fps), self._model.config.identity_count - 1)
        return self._original.error(self._model, shape.space, fps, motion[::2])
