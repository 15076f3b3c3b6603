# SPDX-License-Identifier: GPL-3.0-or-later
"""A UniTalker on a graphics card: recorded passes in every precision, beside the plain model in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import torch
from backend import checkpoint, device, pipeline, planning, precision, replay
from backend.checkpoint import LoadedModel
from backend.models.speech_config import SpeechEncoderConfig
from backend.precision import Precision

from . import ratios, subjects
from .figures import Figure
from .ratios import CLIP_SECONDS, LARGEST_ERROR, LARGEST_HALF_ERROR, Work

LEAST_SPEED_UP = 3.0
LONG = 60
"""Seconds of a sound whose first window somebody waits for."""
T = TypeVar("T")
BATCHES = {1: "", replay.AT_ONCE: f"{replay.AT_ONCE} × "}


def is_there() -> bool:
    """Whether there is a CUDA device."""
    return torch.cuda.is_available()


def not_run(title: str) -> Figure:
    """What stands in the table where there is none."""
    return Figure(f"{title} on CUDA", None, "not run: no CUDA device", at_least=LEAST_SPEED_UP)


def figures(title: str, path: Path, where: str, runs: int) -> list[Figure]:
    """Speed-up, error and first motion of the model in `path`, for each precision of the device `where`."""
    fastest = precision.choose("auto", where)
    possible: tuple[Precision, ...] = ("fp32", "tf32", fastest) if where == "cuda" else ("fp32", fastest)
    found = []
    for kind in dict.fromkeys(possible):
        loaded = precision.ready(checkpoint.load(path), where, kind)
        found += [_speed_up(title, loaded, kind, path, batch, runs, kind == fastest) for batch in BATCHES]
        found += [_error(title, loaded, kind, path), _first_motion(title, loaded, kind, runs)]
        del loaded
        device.release(where)
    return found


def _speed_up(
    title: str, loaded: LoadedModel, kind: Precision, path: Path, batch: int, runs: int, has_goal: bool
) -> Figure:
    """The plain model / this one, clips of ten seconds."""
    samples = np.repeat(subjects.babble(CLIP_SECONDS)[None], batch, axis=0)
    works: dict[str, Work] = {
        "plain": _with_tf32(False, partial(_answer, _official(path, _device(loaded)), samples)),
        "own": _with_tf32(kind == "tf32", partial(_answer, loaded, samples)),
    }
    works["own"]()  # recorded when it is asked for again, which is the warm-up's
    seconds = ratios.alternate(works, runs)
    name = f"{title}, eager fp32 / {kind}, {BATCHES[batch]}{CLIP_SECONDS} s"
    goal = LEAST_SPEED_UP if has_goal else None
    return Figure(name, seconds["plain"] / seconds["own"], "x", at_least=goal)


def _error(title: str, loaded: LoadedModel, kind: Precision, path: Path) -> Figure:
    """Of a clip's motion, to the model as it was read."""
    samples, plain = subjects.babble(CLIP_SECONDS)[None], checkpoint.load(path)
    plain.model.to(_device(loaded))
    wanted = _with_tf32(False, partial(_answer, plain, samples))()
    found = _with_tf32(kind == "tf32", partial(_answer, loaded, samples))()
    share = float(np.abs(found - wanted).max() / (wanted.max() - wanted.min()))
    most = LARGEST_ERROR if kind == "fp32" else LARGEST_HALF_ERROR
    return Figure(f"{title} {kind} on {_device(loaded)}: largest error / range", share, "x", at_most=most)


def _first_motion(title: str, loaded: LoadedModel, kind: Precision, runs: int) -> Figure:
    samples = subjects.babble(LONG)
    planned = planning.plan(loaded, planning.Request())
    work = _with_tf32(kind == "tf32", lambda: next(pipeline.generate(loaded, samples, planned)))
    work()
    name = f"{title} {kind} on {_device(loaded)}: first motion of {LONG} s"
    return Figure(name, ratios.alternate({"first": work}, runs)["first"], "s")


def _official(path: Path, where: torch.device) -> LoadedModel:
    """The model as its authors run it: the plain network of transformers, and the rest as it is."""
    loaded = checkpoint.load(path)
    config = cast(SpeechEncoderConfig, loaded.unitalker().config.encoder)
    loaded.model.encoder.network = ratios.plain_network(config)  # other weights take the same time
    loaded.model.to(where)
    return loaded


def _answer(loaded: LoadedModel, samples: np.ndarray) -> np.ndarray:
    """The motion of clips float32 [clips, n] in the model's first space: recorded if it can be, then at hand."""
    space = next(iter(loaded.spaces.values()))
    frames = round(samples.shape[1] / 16_000 * space.fps)
    recorded = None if loaded.replays is None else loaded.replays.predict(samples, space.name, frames, None)
    if recorded is not None:
        return recorded
    return loaded.model.predict(torch.from_numpy(samples).to(_device(loaded)), space.name, frames).cpu().numpy()


def _device(loaded: LoadedModel) -> torch.device:
    return next(loaded.model.parameters()).device


def _with_tf32(allowed: bool, work: Callable[[], T]) -> Callable[[], T]:
    """The work with or without shorter products; what is measured in turn must not share that."""

    def run() -> T:
        precision.allow_tf32(allowed)
        return work()

    return run
