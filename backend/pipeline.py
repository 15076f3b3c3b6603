# SPDX-License-Identifier: GPL-3.0-or-later
"""A model and a sound in, motion out: window by window, at the frame rate that is wanted.

It knows neither the protocol nor files; the server, the command line and tests all come through `generate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import audio, postprocess, windows
from .face import FaceSpace
from .version import version

if TYPE_CHECKING:
    from torch import Tensor

    from .checkpoint import LoadedModel

PIVOT = "pivot"
"""The identity that stands for nobody in particular."""
HIGHEST_FPS = 1000.0
_SILENCE_SECONDS = 3


class RequestError(Exception):
    """What was asked for is not possible with this model; the sentence says what is."""


class Stopped(Exception):
    """The caller asked to stop."""


@dataclass(frozen=True)
class Request:
    """What kind of motion is wanted."""

    space: str = ""
    """Name of one of the model's face spaces; empty: its first one."""
    fps: float | None = None
    """Frames per second; None: the space's own."""
    identity: str = PIVOT
    """Name or row number of the model's identity table, or `PIVOT`."""
    raw: bool = False
    """The model's own numbers: no clamp, rest offset or audio levelling."""


@dataclass(frozen=True)
class Plan:
    """A request that one model can fulfil."""

    space: FaceSpace
    fps: float
    row: int | None
    """Row of the identity table; None for the pivot."""
    raw: bool

    def frames(self, samples: int) -> int:
        """Frames of motion for so many samples at 16 kHz: their seconds times the frame rate, rounded."""
        return windows.frame_count(samples, self.fps)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Finished frames."""

    start: int
    """Number of the first one."""
    values: np.ndarray
    """float32 [frames, channels], or [frames, vertices, 3] for vertex spaces."""


def plan(loaded: LoadedModel, request: Request) -> Plan:
    """Check a request against a model. Raises `RequestError`."""
    spaces = loaded.spaces
    space = spaces.get(request.space) if request.space else next(iter(spaces.values()))
    if space is None:
        raise RequestError(
            f"The model {loaded.info.name} has no face space {request.space!r}; it has {', '.join(spaces)}."
        )
    fps = space.fps if request.fps is None else request.fps
    if not 1.0 <= fps <= HIGHEST_FPS:
        raise RequestError(f"{fps:g} frames per second are not possible; choose 1 to {HIGHEST_FPS:g}.")
    return Plan(space, fps, _row(loaded, request.identity), request.raw)


def generate(
    loaded: LoadedModel, samples: np.ndarray, planned: Plan, stop: Callable[[], bool] = lambda: False
) -> Iterator[Chunk]:
    """The motion of `samples` (float32 [n], mono, 16 kHz), in order and without gaps, about one chunk per window.

    Frame i belongs to second ``i / planned.fps``; there are ``planned.frames(n)`` of them. `stop` is asked before every
    window and makes this raise `Stopped`. Raises `RequestError` where the model's answer is no number.
    """
    space = planned.space
    pieces = windows.cross_fade(_window_motion(loaded, samples, planned, stop), space.fps)
    if space.kind == "controls" and not planned.raw:
        own = space.limits
        pieces = postprocess.within(pieces, own) if own else postprocess.rested(pieces, rest_pose(loaded, planned))
    start = 0
    for values in postprocess.retimed(pieces, space.fps, planned.fps, planned.frames(len(samples))):
        shaped = values.reshape(len(values), -1, 3) if space.kind == "vertices" else values
        yield Chunk(start, shaped)
        start += len(values)


def metadata(loaded: LoadedModel, request: Request) -> dict[str, str | bool]:
    """What a motion should carry about how it was made; plain JSON values."""
    about = {"model": loaded.info.name, "identity": request.identity, "raw": request.raw, "version": version()}
    return about | {"licence": loaded.info.licence}


def rest_pose(loaded: LoadedModel, planned: Plan) -> np.ndarray:
    """The model's own answer to silence, float32 [channels]: where it leaves the face when nobody speaks."""
    silence = np.zeros(_SILENCE_SECONDS * windows.SAMPLE_RATE, np.float32)
    frames = round(_SILENCE_SECONDS * planned.space.fps)
    answer = _predict(loaded, silence, planned, frames)
    return np.median(answer[frames // 3 : -(frames // 3)], axis=0)


def _window_motion(
    loaded: LoadedModel, samples: np.ndarray, planned: Plan, stop: Callable[[], bool]
) -> Iterator[np.ndarray]:
    """Motion of each window at the space's own frame rate; together they have exactly the frames of the whole sound."""
    gain = np.float32(1.0 if planned.raw else audio.speech_gain(samples))
    for window in windows.windows(len(samples)):
        if stop():
            raise Stopped
        first, last = (windows.frame_count(edge, planned.space.fps) for edge in (window.start, window.stop))
        yield _predict(loaded, samples[window.start : window.stop] * gain, planned, last - first)


def _predict(loaded: LoadedModel, samples: np.ndarray, planned: Plan, frames: int) -> np.ndarray:
    """One forward pass: float32 [frames, dim]."""
    import torch

    device = next(loaded.model.parameters()).device
    sound = torch.from_numpy(samples).to(device)[None]
    row: Tensor | None = None if planned.row is None else torch.tensor([planned.row], device=device)
    values = loaded.model.predict(sound, planned.space.name, frames, row)[0].cpu().numpy()
    if not np.isfinite(values).all():
        raise RequestError(f"The model {loaded.info.name} answers with broken numbers; get its file again.")
    return values


def _row(loaded: LoadedModel, identity: str) -> int | None:
    names = loaded.identities
    if identity == PIVOT:
        return None
    if identity in names:
        return names.index(identity)
    if identity.isdecimal() and int(identity) <= len(names):
        return int(identity)  # the row behind the last name is the pivot's
    known = f"it has {', '.join(names)} (rows 0 to {len(names) - 1}) and pivot" if names else "use pivot"
    raise RequestError(f"The model {loaded.info.name} has no identity {identity!r}; {known}.")
