# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips of any character, as the add-on exports them: NAME.npz beside NAME.wav or NAME.flac, flat or in folders.

The npz is a motion file (`backend/motion_file.py`): `values` [frames, controls] with `names`, or `vertices`
[frames, V, 3]; `fps`; `space`, the name of the character's controls, the same in all clips of a folder; `start`, the
second of the sound at which the first frame lies; `metadata`, a JSON object whose `identity` may name the character
or performer (without it, the folder does), and whose `limits` may give the lowest and highest value of each control
by its name (without them, controls are weights from 0 to 1 whose rest is 0), and whose `still` may hold the values of
controls that do not move in this clip and have no column. Any frame rate is welcome: 24 becomes 25, and so on, by
interpolation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
    names: tuple[str, ...]
    dim: int
    fps: float
    start: float
    identity: str
    limits: dict[str, tuple[float, float]]
    still: dict[str, float]

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these controls are known, moving or not."""
        return all(name in self.names or name in self.still for name in names)


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
    fitting = [export for export in exports if _fits(export, exports[0])]
    space = _space(fitting)
    problems += [_stranger(export, exports[0]) for export in exports if not _fits(export, exports[0])]
    clips = drawn_split(_clip(export, space) for export in fitting)
    identities = tuple(sorted({clip.identity for clip in clips}))
    return [DataSet(name, space, identities, clips, problems=tuple(problems), cut_long=True, level=True)]


def known_rate(fps: float) -> float:
    """The rate that motion at `fps` is brought to: itself, or the next one above (60 for all that is faster)."""
    return next((rate for rate in RATES if fps <= rate + 0.01), RATES[-1])


def _export(pair: Pair, folder: str) -> _Export:
    motion = _motion(pair.annotation)
    try:
        metadata = json.loads(motion.metadata)
        identity = metadata.get("identity") or folder
        limits = {name: (float(low), float(high)) for name, (low, high) in metadata.get("limits", {}).items()}
        still = {name: float(value) for name, value in metadata.get("still", {}).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ClipError(f"The metadata of {pair.annotation} is no JSON object as the add-on writes.") from error
    if limits and (limits.keys() != set(motion.names) or any(low >= high for low, high in limits.values())):
        raise ClipError(f"The limits in {pair.annotation} are not a lowest and a highest value of each control.")
    dim = int(np.prod(motion.values.shape[1:]))
    return _Export(pair, motion.space, motion.names, dim, motion.fps, motion.start, str(identity), limits, still)


def _in_order(motion: Motion, channels: Sequence[str], still: Mapping[str, float], path: Path) -> np.ndarray:
    if not channels:
        return motion.values
    columns = dict(zip(motion.names, motion.values.T, strict=True))
    if missing := [name for name in channels if name not in columns and name not in still]:
        raise ClipError(f"{path} does not know the control {missing[0]}, which moves in another clip; export it again.")
    held = np.ones(len(motion.values), np.float32)
    return np.stack([columns[name] if name in columns else held * still[name] for name in channels], axis=1)


def _motion(path: Path) -> Motion:
    if not path.is_file():
        raise ClipError(f"There is no annotation {path}.")
    try:
        return motion_file.read(path)
    except MotionFileError as error:
        raise ClipError(str(error)) from error


def _space(exports: Sequence[_Export]) -> FaceSpace:
    """The space of all clips; ARKit weights are sorted as everywhere, other controls as they come."""
    first, rate = exports[0], known_rate(exports[0].fps)
    channels = tuple(dict.fromkeys(name for export in exports for name in export.names))
    if set(channels) == set(ARKIT_CHANNELS):
        channels = ARKIT_CHANNELS
    known = {name: pair for export in reversed(exports) for name, pair in export.limits.items()}
    limits = tuple(known[name] for name in channels) if known.keys() >= set(channels) else ()
    kind, dim = ("controls", len(channels)) if channels else ("vertices", first.dim)
    return FaceSpace(first.space, kind, rate / REDUCTIONS[int(rate)], dim, channels, limits)


def _fits(export: _Export, first: _Export) -> bool:
    if export.space != first.space or bool(export.names) != bool(first.names):
        return False
    if not first.names:
        return export.dim == first.dim
    return export.has(first.names) and first.has(export.names)


def _stranger(export: _Export, first: _Export) -> str:
    return (
        f"{export.pair.annotation} has {export.dim} numbers per frame of {export.space}, and not the controls of"
        f" {first.pair.annotation.name}: export clips of one character into one folder."
    )


def _clip(export: _Export, space: FaceSpace) -> AnnotatedClip:
    rate = known_rate(export.fps)
    load = partial(_load, space, rate, export.still)
    return AnnotatedClip(*export.pair, load, rate, space.name, export.identity, "train", export.start)


def _load(space: FaceSpace, rate: float, still: Mapping[str, float], path: Path) -> np.ndarray:
    """float32 [frames, dim] in the order of the space's channels, at a known rate. Raises ClipError."""
    motion = _motion(path)
    values = checked(_in_order(motion, space.channels, still, path), path, space.dim)
    return resampled(values, np.arange(len(values)) / motion.fps, rate)
