# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes: a model that diffuses performs a sound of any length, several times at once.

All takes of a sound hear the same; each has its own noise, one field for the whole sound. A denoising step sees a known
number of frames to both sides, so the steps follow each other through the sound piece by piece, each so far behind the
one before it as it has to see. What comes out is what the whole sound at once would give: there are no seams, and the
memory that is needed does not grow with the sound.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from . import closures, emotions, hearing, memory, windows
from .face import ARKIT_CHANNELS
from .hearing import Ears
from .interruption import watched
from .models.diffusion import sampling_times
from .models.diffusion_talker import Condition, DiffusionTalker
from .models.regression_ear import RegressionEar
from .performance import Performance
from .sound import Samples

GoOn = Callable[[], None]
"""Called before every piece of work; may raise to stop."""
REFERENCE_SECONDS = 60
"""A style is heard in the first minute of a recording."""
_EDGE_SECONDS = 1.0
"""What an encoder says near the edge of a window is left to the window beside it."""
_LEVEL_SECONDS = 20
_FEWEST_FRAMES = 30
"""Pieces are not halved further where memory runs out."""


@dataclass(frozen=True)
class Stage:
    """Where a performance is given."""

    space: str
    fps: float
    row: int | None
    """Row of the identity table; None for the pivot."""
    gain: float = 1.0
    """What the sound is multiplied by, window by window: a copy of a long one would take as much memory."""


class _Piece(NamedTuple):
    """Consecutive frames between two denoising steps."""

    z: Tensor
    """[takes, frames, numbers]."""
    audio: Tensor
    """[frames, audio width], and behind it what the ear itself would do: [frames, audio width + dim]."""
    is_last: bool


class _Step:
    """One denoising step on its way through a sound."""

    def __init__(self, advance: Callable[[Tensor, Tensor, int], Tensor], reach: int) -> None:
        """`advance` maps z and audio of a stretch, and the number of its first frame, to the next z; a frame of it
        depends on `reach` to either side."""
        self.advance, self.reach = advance, reach
        self._held: _Piece | None = None
        self._past = self._first = 0
        """Frames of what is held that have been given already, and the number of the first of them."""

    def push(self, piece: _Piece) -> _Piece | None:
        """Take the next frames and give those that no later one can change; None where there is none."""
        held = piece if self._held is None else _joined(self._held, piece)
        frames = len(held.audio)
        stop = frames if held.is_last else frames - self.reach
        if stop <= self._past:
            self._held = held
            return None
        z = self.advance(held.z, held.audio, self._first)[:, self._past : stop]
        given = _Piece(z, held.audio[self._past : stop], held.is_last)
        first = max(0, stop - self.reach)
        self._held, self._past = _Piece(held.z[:, first:], held.audio[first:], held.is_last), stop - first
        self._first += first
        return given


def perform(
    model: DiffusionTalker,
    samples: Samples,
    stage: Stage,
    performance: Performance,
    go_on: GoOn,
    ears: Ears | None = None,
) -> Iterator[np.ndarray]:
    """All takes of `samples`: float32 [frames, takes, dim], in order and without gaps; `ears` gather what is heard."""
    steps = _steps(model, stage, performance)
    for piece in _noisy(model, stage, performance, _settled(model, samples, stage, go_on, ears)):
        current: _Piece | None = piece
        for step in steps:
            go_on()
            current = _push(step, current)
            if current is None:
                break
        if current is not None:
            yield _decoded(model, stage.space, current)


def heard_style(model: DiffusionTalker, samples: np.ndarray) -> np.ndarray:
    """float32 [personal width]: the identity vector that a model hears in a recording (float32 [n] at 16 kHz)."""
    with torch.inference_mode():
        reference = samples[: REFERENCE_SECONDS * windows.SAMPLE_RATE]
        return model.personalizer.heard(model.hear(_tensor(model, reference)[None]))[0].cpu().numpy()


def nearest_row(model: DiffusionTalker, style: np.ndarray) -> int:
    """The row of the identity whose embedding is most like an identity vector."""
    with torch.inference_mode():
        return int(model.personalizer.nearest(_tensor(model, style)[None])[0])


def _steps(model: DiffusionTalker, stage: Stage, performance: Performance) -> list[_Step]:
    """The chain of denoising steps, the noisiest first; behind them what decides about the mouth, if anything does."""
    personal_of, width = _personal(model, stage, performance), model.audio.out_features
    guidance = 1.0 if performance.guidance is None else performance.guidance

    def advance(time: int, then: int, z: Tensor, audio: Tensor, first: int) -> Tensor:
        personal = personal_of(first, len(audio)).expand(len(z), -1, -1)
        condition = Condition(audio[:, :width].expand(len(z), -1, -1), personal)
        now, after = (torch.full((len(z),), moment, device=z.device) for moment in (time, then))
        return model.step(stage.space, z, now, after, condition, guidance)

    def decide(z: Tensor, audio: Tensor, first: int) -> Tensor:
        alike_for_all = Condition(audio[None, :, :width], personal_of(first, len(audio))[None])
        return model.decide(stage.space, z, alike_for_all, guidance)

    times = sampling_times(model.config.times, performance.steps or model.config.steps)
    reach = model.config.denoiser.reach
    steps = [_Step(partial(advance, time, then), reach) for time, then in itertools.pairwise(times)]
    return steps if model.articulator is None else [*steps, _Step(decide, model.config.articulator.reach)]


def _personal(model: DiffusionTalker, stage: Stage, performance: Performance) -> Callable[[int, int], Tensor]:
    """What gives the personalised embedding of so many frames from a first one on: [frames, personal width].

    It is one row for all of them where emotions do not change.
    """
    row = model.config.identity_count - 1 if stage.row is None else stage.row
    style = model.personalizer.identities.weight[row] if performance.style is None else performance.style
    person = torch.as_tensor(style, dtype=torch.float32, device=_device(model))[None]
    felt = {} if performance.emotions is None else performance.emotions

    def at(first: int, frames: int) -> Tensor:
        seconds = (first + np.arange(frames)) / stage.fps
        shares = _tensor(model, emotions.shares_at(felt, model.config.emotions, seconds))
        with torch.inference_mode():
            return model.personalizer.fused(person.expand(frames, -1), shares)

    if emotions.does_change(felt):
        return at
    always = at(0, 1)
    return lambda _first, _frames: always


def _settled(
    model: DiffusionTalker, samples: Samples, stage: Stage, go_on: GoOn, ears: Ears | None
) -> Iterator[tuple[np.ndarray, bool]]:
    """What the denoiser is told (`_Piece.audio`), as soon as no later window can change it.

    With every piece, whether it is the last one.
    """
    joint, last = windows.CrossFade(stage.fps, _EDGE_SECONDS), len(windows.windows(len(samples)))
    for number, heard in enumerate(_heard(model, samples, stage, go_on, ears), 1):
        settled = joint.push(heard)
        yield (settled, False) if number < last else (np.concatenate((settled, joint.rest())), True)


def _heard(
    model: DiffusionTalker, samples: Samples, stage: Stage, go_on: GoOn, ears: Ears | None
) -> Iterator[np.ndarray]:
    """What the denoiser is told of the sound (`_Piece.audio`), for every window."""
    gain, cut = np.float32(stage.gain), windows.windows(len(samples))
    level = _level(model, samples, gain) if len(cut) > 1 else None  # one window is the whole sound
    rates = (stage.fps,) if ears is None else (stage.fps, hearing.FPS)

    def told(sounds: np.ndarray, counts: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        with torch.inference_mode(), watched(model.encoder, go_on), _overheard(model, ears) as readings:
            features = model.hear(_tensor(model, sounds), level=level)
            aligned = model.aligned(features, counts[0], stage.fps)
            audio = torch.cat((model.audio(aligned), _own_motion(model, aligned, stage.space)), dim=2)
        return audio.cpu().numpy(), *(heard[:, : counts[1]] for heard in readings)

    for window in cut:
        go_on()
        sound = samples[window.start : window.stop][None] * gain
        audio, *readings = memory.in_parts(told, sound, tuple(map(window.frames, rates)), rates)
        if ears is not None:
            ears.keep(readings[0][0])
        yield audio[0]


def _own_motion(model: DiffusionTalker, aligned: Tensor, space: str) -> Tensor:
    """What an ear that is a whole talker would do by itself, [B, frames, dim]; of other ears [B, frames, 0]."""
    ear = model.encoder
    if isinstance(ear, RegressionEar) and ear.config.space == space:
        return ear.motion(aligned)
    return aligned[..., :0]


def _overheard(model: DiffusionTalker, ears: Ears | None) -> contextlib.AbstractContextManager[list[np.ndarray]]:
    """Inside, what the ears read of every sound that the model hears; nothing without ears."""
    return contextlib.nullcontext([]) if ears is None or model.mel is None else ears.at(model.mel)


def _level(model: DiffusionTalker, samples: Samples, gain: np.float32) -> Tensor | None:
    """How loud the speech of the whole sound is, where the encoder goes by it."""
    encoder = model.mel
    if encoder is None:
        return None
    length = _LEVEL_SECONDS * windows.SAMPLE_RATE
    pieces = (samples[start : start + length] * gain for start in range(0, len(samples), length))
    with torch.inference_mode():
        return encoder.level_of(torch.cat([encoder.loudness(_tensor(model, piece)[None]) for piece in pieces], dim=1))


def _noisy(
    model: DiffusionTalker, stage: Stage, performance: Performance, heard: Iterable[tuple[np.ndarray, bool]]
) -> Iterator[_Piece]:
    """Every piece of what is heard, with the noise that its takes begin with."""
    start = 0
    for audio, is_last in heard:
        fields = [model.noise(seed, start, len(audio), stage.space) for seed in performance.seeds()]
        start += len(audio)
        yield _Piece(torch.stack(fields).to(_device(model)), _tensor(model, audio), is_last)


def _push(step: _Step, piece: _Piece) -> _Piece | None:
    """Push a piece; where memory does not suffice, its halves: what a step gives does not depend on the pieces."""
    try:
        with torch.inference_mode():
            return step.push(piece)
    except Exception as error:
        if not memory.ran_out(error):
            raise
    middle = len(piece.audio) // 2
    if middle < _FEWEST_FRAMES:
        raise memory.NotEnoughMemory
    halves = (
        _Piece(piece.z[:, :middle], piece.audio[:middle], False),
        _Piece(piece.z[:, middle:], piece.audio[middle:], piece.is_last),
    )
    given = [done for half in halves if (done := _push(step, half)) is not None]
    return functools.reduce(_joined, given) if given else None


def _decoded(model: DiffusionTalker, space: str, piece: _Piece) -> np.ndarray:
    """float32 [frames, takes, dim], with lips that meet wherever those of the ear do.

    An ear has learnt from real voices where p, b and m are, and what decides about the mouth has not.
    """
    with torch.inference_mode():
        values = model.head(space).decode(piece.z, model.template(space)).transpose(0, 1).cpu().numpy()
    own = piece.audio[:, None, model.audio.out_features :].cpu().numpy()
    if own.shape[2] != len(ARKIT_CHANNELS):
        return values
    return closures.met_with(closures.parted_with(values, own, ARKIT_CHANNELS), own, ARKIT_CHANNELS)


def _joined(one: _Piece, other: _Piece) -> _Piece:
    return _Piece(torch.cat((one.z, other.z), dim=1), torch.cat((one.audio, other.audio)), other.is_last)


def _tensor(model: DiffusionTalker, array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(_device(model))


def _device(model: DiffusionTalker) -> torch.device:
    return next(model.parameters()).device
