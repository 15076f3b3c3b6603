# SPDX-License-Identifier: GPL-3.0-or-later
"""A model and a sound in, motion out: window by window, at the frame rate that is wanted.

It knows neither the protocol nor files; the server, the command line and tests all come through `generate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from . import closures, hearing, memory, postprocess, stillness, windows
from .face import FaceSpace
from .heard_once import heard_once
from .performance import Performance
from .planning import Plan, RequestError
from .retiming import Opening, retimed
from .sound import Samples, speech_gain

if TYPE_CHECKING:
    from torch import Tensor

    from .checkpoint import LoadedModel
    from .hearing import Ears
    from .models.diffusion_talker import DiffusionTalker
    from .models.unitalker import Prediction

_SILENCE_SECONDS = 3
_AT_ONCE = {"cuda": 8}
"""Windows in one pass; on a processor one, which fills it."""


class Stopped(Exception):
    """The caller asked to stop."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Finished frames."""

    start: int
    """Number of the first one."""
    values: np.ndarray
    """float32 [frames, channels], or [frames, vertices, 3] for spaces that move a mesh."""
    take: int = 0
    """Which performance it belongs to."""


def generate(
    loaded: LoadedModel,
    samples: Samples,
    planned: Plan,
    stop: Callable[[], bool] = lambda: False,
    ears: Ears | None = None,
) -> Iterator[Chunk]:
    """The motion of `samples`, in order and without gaps, about one chunk per window and take.

    Frame i belongs to second ``i / planned.fps``; there are ``planned.frames(n)`` of them. `stop` is asked before every
    window and before every layer of a big model (`interruption.watched`), and makes this raise `Stopped`. `ears` are
    told what is heard on the way; theirs must be a listener that overhears this model (`hearing.overhears`). Raises
    `RequestError` where the model's answer is no number.
    """
    space = planned.space
    pieces = _motion(loaded, samples, planned, stop, ears)
    opening = None
    if space.kind == "controls" and not planned.raw:
        pieces = _usable(loaded, planned, pieces, stop)
        opening = _opening(space) if planned.fps != space.fps else None  # no moment is lost at the same rate
    start = 0
    for values in retimed(pieces, space.fps, planned.fps, planned.frames(len(samples)), opening):
        for take, own in enumerate(values[None] if planned.performance is None else values.swapaxes(0, 1)):
            yield Chunk(start, _vertices(space, own) if space.moves_mesh else own, take)
        start += len(values)


def generate_each(
    loaded: LoadedModel, samples: Samples, plans: Sequence[Plan], stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[int, Chunk]]:
    """What `generate` makes of several plans for one sound, whose encoder hears it once: (number of the plan, chunk).

    Whoever is furthest behind goes on, so that all of them are at the same window.
    """
    loaded = replace(loaded, replays=None)  # a recorded pass is whole, and hears for itself
    runs = [generate(loaded, samples, planned, stop) for planned in plans]
    done = dict.fromkeys(range(len(plans)), 0.0)
    with heard_once(loaded.model.encoder):
        while done:
            number = min(done, key=done.__getitem__)
            chunk = next(runs[number], None)
            if chunk is None:
                del done[number]
                continue
            done[number] = (chunk.start + len(chunk.values)) / plans[number].fps
            yield number, chunk


def rest_pose(loaded: LoadedModel, planned: Plan, stop: Callable[[], bool] = lambda: False) -> np.ndarray:
    """The model's own answer to silence, float32 [channels]: where it leaves the face when nobody speaks.

    One that is asked for again is known (`LoadedModel.rests`); `stop` is as for `generate`.
    """
    key = (planned.space.name, planned.row)
    if planned.performance is not None:  # each with its own seed, steps and style
        return _answer_to_silence(loaded, planned, stop)
    if key not in loaded.rests:
        loaded.rests[key] = _answer_to_silence(loaded, planned, stop)
    return loaded.rests[key]


def _answer_to_silence(loaded: LoadedModel, planned: Plan, stop: Callable[[], bool]) -> np.ndarray:
    silence = np.zeros(_SILENCE_SECONDS * windows.SAMPLE_RATE, np.float32)
    frames = round(_SILENCE_SECONDS * planned.space.fps)
    if planned.performance is None:
        answer = _predict(loaded, silence[None], planned, frames, stop)[0][0]
    else:  # a smile that was asked for is no rest to count from, and the first take's rest is that of all
        calm = replace(planned.performance, emotions=None, takes=1)
        answer = np.concatenate(list(_takes(loaded, silence, planned, calm, stop)))[:, 0]
    return np.median(answer[frames // 3 : -(frames // 3)], axis=0)


def neutral(loaded: LoadedModel, planned: Plan) -> np.ndarray:
    """The face that nothing moves, float32 [V, 3]: the template of a space that has one, else the answer to silence.

    Only for spaces that move a mesh.
    """
    template = planned.space.template
    return _vertices(planned.space, (rest_pose(loaded, planned) if template is None else template)[None])[0]


def _vertices(space: FaceSpace, values: np.ndarray) -> np.ndarray:
    """Values [frames, dim] as the vertices that they mean, float32 [frames, V, 3]."""
    import torch

    with torch.inference_mode():
        return space.decode(torch.from_numpy(np.ascontiguousarray(values, np.float32))).numpy()


def _motion(
    loaded: LoadedModel, samples: Samples, planned: Plan, stop: Callable[[], bool], ears: Ears | None
) -> Iterator[np.ndarray]:
    """The whole motion at the space's own frame rate in pieces [frames, dim], of takes [frames, takes, dim]."""
    if planned.performance is None:
        return windows.cross_fade(_window_motion(loaded, samples, planned, stop, ears), planned.space.fps)
    return _takes(loaded, samples, planned, planned.performance, stop, ears)


def _usable(
    loaded: LoadedModel, planned: Plan, pieces: Iterator[np.ndarray], stop: Callable[[], bool]
) -> Iterator[np.ndarray]:
    """The model's own numbers as weights within their limits, from its rest pose, with lips that meet.

    What a take does in silence is one of many answers and no rest: somebody's smile and a glance belong to it.
    """
    space = planned.space
    if space.limits:
        return postprocess.within(pieces, space.limits)
    if planned.performance is not None:
        pieces, rest = stillness.stilled(pieces, space.channels, space.fps), np.zeros(space.dim, np.float32)
    else:
        rest = rest_pose(loaded, planned, stop)
    return postprocess.sealed(postprocess.rested(pieces, rest), space.channels)


def _opening(space: FaceSpace) -> Opening | None:
    """How far the lips of a space are apart, where its channels tell."""
    return partial(closures.opening, names=space.channels) if closures.can_follow(space.channels) else None


def _takes(
    loaded: LoadedModel,
    samples: Samples,
    planned: Plan,
    performance: Performance,
    stop: Callable[[], bool],
    ears: Ears | None = None,
) -> Iterator[np.ndarray]:
    from . import takes

    stage = takes.Stage(planned.space.name, planned.space.fps, planned.row, float(_gain(samples, planned)))
    model = cast("DiffusionTalker", loaded.model)
    for piece in takes.perform(model, samples, stage, performance, partial(go_on, stop), ears):
        yield _checked(loaded, piece)


def _window_motion(
    loaded: LoadedModel, samples: Samples, planned: Plan, stop: Callable[[], bool], ears: Ears | None
) -> Iterator[np.ndarray]:
    """Motion of each window at the space's own frame rate; together they have exactly the frames of the whole sound."""
    gain = _gain(samples, planned)
    at_once = _AT_ONCE.get(next(loaded.model.parameters()).device.type, 1)
    for group in windows.groups(windows.windows(len(samples)), at_once):
        go_on(stop)
        sounds = np.stack([samples[window.start : window.stop] for window in group])
        motion, *readings = _predict(loaded, sounds * gain, planned, group[0].frames(planned.space.fps), stop, ears)
        if ears is not None:
            for heard in readings[0]:
                ears.keep(heard)
        yield from motion


def _gain(samples: Samples, planned: Plan) -> np.float32:
    return np.float32(1) if planned.raw else speech_gain(samples)


def _predict(
    loaded: LoadedModel,
    samples: np.ndarray,
    planned: Plan,
    frames: int,
    stop: Callable[[], bool],
    ears: Ears | None = None,
) -> tuple[np.ndarray, ...]:
    """The motion of sounds of one length, float32 [sounds, n]: float32 [sounds, frames, dim]; and what ears read."""
    rates, counts = (planned.space.fps,), (frames,)
    if ears is not None:
        rates, counts = (*rates, hearing.FPS), (*counts, windows.frame_count(samples.shape[1], hearing.FPS))
    forward = partial(_forward, loaded, planned, stop, ears)
    return memory.in_parts(forward, samples, counts, rates)


def _forward(
    loaded: LoadedModel,
    planned: Plan,
    stop: Callable[[], bool],
    ears: Ears | None,
    samples: np.ndarray,
    counts: tuple[int, ...],
) -> tuple[np.ndarray, ...]:
    """`_predict` in one pass of the model: a recorded one where there is one."""
    replays = loaded.replays
    if replays is None or ears is not None:
        return _forward_now(loaded, planned, stop, ears, samples, counts)
    values = replays.predict(samples, planned.space.name, counts[0], planned.row)
    if values is not None:
        return (_checked(loaded, values),)
    try:
        return _forward_now(loaded, planned, stop, ears, samples, counts)
    except Exception as error:
        if memory.ran_out(error):  # recordings hold what they need for as long as there are any
            replays.forget()
        raise


def _forward_now(
    loaded: LoadedModel,
    planned: Plan,
    stop: Callable[[], bool],
    ears: Ears | None,
    samples: np.ndarray,
    counts: tuple[int, ...],
) -> tuple[np.ndarray, ...]:
    import torch

    from .interruption import watched

    model, space = loaded.model, planned.space.name
    device = next(model.parameters()).device
    sound = torch.from_numpy(samples).to(device)
    row: Tensor | None = None if planned.row is None else torch.full((len(sound),), planned.row, device=device)
    with watched(model, partial(go_on, stop)), torch.inference_mode():
        if ears is None:
            return (_checked(loaded, model.predict(sound, space, counts[0], row).cpu().numpy()),)
        said: Prediction = model(sound, space, counts[0], row, model.template(space))
        return _checked(loaded, said.values.cpu().numpy()), ears.readings(said.auxiliary)[:, : counts[1]]


def go_on(stop: Callable[[], bool]) -> None:
    """Raise `Stopped` where the caller asked to stop."""
    if stop():
        raise Stopped


def _checked(loaded: LoadedModel, values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise RequestError(f"The model {loaded.info.name} answers with broken numbers; get its file again.")
    return values
