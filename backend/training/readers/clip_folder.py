# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips of any character, as the add-on exports them: NAME.npz beside NAME.wav or NAME.flac, flat or in folders.

The npz is a motion file (`backend/motion_file.py`): `values` [frames, controls] with `names`, or `vertices`
[frames, V, 3]; `fps`; `space`, the name of the character's controls, the same in all clips of a folder; `start`, the
second of the sound at which the first frame lies; `metadata`, a JSON object whose `identity` may name the character
or performer (without it, the folder does), and whose `limits` may give the lowest and highest value of each control
by its name (without them, controls are weights from 0 to 1 whose rest is 0). Any frame rate is welcome: 24 becomes 25,
and so on, by interpolation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from backend import motion_file
from backend.face import ARKIT_CHANNELS, FaceSpace
from backend.motion_file import Motion, MotionFileError
from backend.training.errors import CorpusError
from backend.training.motion.clip import REDUCTIONS, ClipError

from .annotated import AnnotatedClip, DataSet, Pair, checked, drawn_split, pairs, resampled

RATES = (25.0, 30.0, 60.0)


@dataclass(frozen=True)
class _Export:
    """What a motion file says beside its motion."""

    pair: Pair
    space: str
    channels: frozenset[str]
    names: tuple[str, ...]
    dim: int
    fps: float
    start: float
    identity: str
    limits: dict[str, tuple[float, float]]


def read(folder: Path) -> list[DataSet]:
    """The data set in a folder of exported clips. Raises CorpusError where none of them can be read."""
    name = folder.resolve().name
    exports, problems = [], []
    for pair in pairs(folder, ".npz", folder):
        try:
            exports.append(_export(pair, name))
        except ClipError as error:
            problems.append(str(error))
    if not exports:
        raise CorpusError(problems[0])
    space = _space(exports[0])
    fitting = [export for export in exports if _fits(export, exports[0])]
    problems += [_stranger(export, exports[0]) for export in exports if not _fits(export, exports[0])]
    clips = drawn_split(_clip(export, space) for export in fitting)
    identities = tuple(sorted({clip.identity for clip in clips}))
    return [DataSet(name, space, identities, clips, problems=tuple(problems), cut_long=True)]


def known_rate(fps: float) -> float:
    """The rate that motion at `fps` is brought to: itself, or the next one above (60 for all that is faster)."""
    return next((rate for rate in RATES if fps <= rate + 0.01), RATES[-1])


def _export(pair: Pair, folder: str) -> _Export:
    motion = _motion(pair.annotation)
    try:
        metadata = json.loads(motion.metadata)
        identity = metadata.get("identity") or folder
        limits = {name: (float(low), float(high)) for name, (low, high) in metadata.get("limits", {}).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ClipError(f"The metadata of {pair.annotation} is no JSON object of identity and limits.") from error
    if limits and (limits.keys() != set(motion.names) or any(low >= high for low, high in limits.values())):
        raise ClipError(f"The limits in {pair.annotation} are not a lowest and a highest value of each control.")
    dim = int(np.prod(motion.values.shape[1:]))
    about = (motion.space, frozenset(motion.names), motion.names, dim, motion.fps, motion.start)
    return _Export(pair, *about, str(identity), limits)


def _motion(path: Path) -> Motion:
    if not path.is_file():
        raise ClipError(f"There is no annotation {path}.")
    try:
        return motion_file.read(path)
    except MotionFileError as error:
        raise ClipError(str(error)) from error


def _space(first: _Export) -> FaceSpace:
    """The space of all clips; ARKit weights are sorted as everywhere, other controls as the first clip has them."""
    channels = ARKIT_CHANNELS if first.channels == frozenset(ARKIT_CHANNELS) else first.names
    rate = known_rate(first.fps)
    kind = "controls" if first.names else "vertices"
    limits = tuple(first.limits[name] for name in channels) if first.limits else ()
    return FaceSpace(first.space, kind, rate / REDUCTIONS[int(rate)], first.dim, channels, limits)


def _fits(export: _Export, first: _Export) -> bool:
    return (export.space, export.channels, export.dim) == (first.space, first.channels, first.dim)


def _stranger(export: _Export, first: _Export) -> str:
    return (
        f"{export.pair.annotation} has {export.dim} numbers per frame of {export.space}, and not the controls of"
        f" {first.pair.annotation.name}: export clips of one character into one folder."
    )


def _clip(export: _Export, space: FaceSpace) -> AnnotatedClip:
    rate = known_rate(export.fps)
    load = partial(_load, space, rate)
    return AnnotatedClip(*export.pair, load, rate, space.name, export.identity, "train", export.start)


def _load(space: FaceSpace, rate: float, path: Path) -> np.ndarray:
    """float32 [frames, dim] in the order of the space's channels, at a known rate. Raises ClipError."""
    motion = _motion(path)
    order = [motion.names.index(name) for name in space.channels]
    values = checked(motion.values[:, order] if order else motion.values, path, space.dim)
    return resampled(values, np.arange(len(values)) / motion.fps, rate)
