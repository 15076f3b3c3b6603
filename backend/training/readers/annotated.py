# SPDX-License-Identifier: GPL-3.0-or-later
"""What every reader gives: data sets of annotated clips, of which nothing is loaded before it is asked for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from backend.face import FaceSpace
from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError

Split = Literal["train", "val", "test", "test-a", "test-b", "unused"]
"""`test-a` and `test-b` are BIWI's seen and unseen speakers; `unused` clips belong to no official split."""
SPLITS: tuple[Split, ...] = ("train", "val", "test")
"""What most data sets have: by folders or by lists."""
SOUND_ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
"""Sounds that are paired with an annotation by name."""


@dataclass(frozen=True, eq=False)
class AnnotatedClip:
    """One recording and where its motion comes from."""

    name: str
    """Unique in its data set; a relative path without ending, with slashes."""
    annotation: Path
    audio: Path
    """A sound file, or a .npy of samples at 16 kHz, as UniTalker keeps some."""
    read: Callable[[Path], np.ndarray]
    """How the annotation is read."""
    fps: float
    space: str
    """Name of the FaceSpace."""
    identity: str
    """Who speaks, by the name that the data set has for them."""
    split: Split
    start: float = 0.0
    """Second of the sound at which the first frame lies."""
    emotions: Mapping[str, float] = field(default_factory=dict)
    """What is felt, by name of `backend.emotions`; none is neutral."""
    voice: str = ""
    """Who is heard, by the name that the data set has for them, where that is not whose manner the motion is in."""

    def load(self) -> np.ndarray:
        """The motion: float32 [frames, dim] in the data set's own unit. Raises ClipError, naming the file."""
        return self.read(self.annotation)


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set: clips of one FaceSpace."""

    name: str
    space: FaceSpace
    """With the rate that remains after UniTalker's reduction, and the scale that brings values to the model's unit."""
    identities: tuple[str, ...]
    clips: tuple[AnnotatedClip, ...]
    templates: np.ndarray | None = None
    """float32 [identities, dim] in the data set's own unit: neutral faces; None where neutral is zero."""
    problems: tuple[str, ...] = ()
    """One sentence for each item that is too broken to become a clip."""
    cut_long: bool = False
    """Recordings longer than 20 s become several clips; without it, their end is left out, as UniTalker does."""
    level: bool = False
    """Sounds are brought to the level at which the pipeline lets a model hear; without it, they stay as recorded, as
    UniTalker's do."""
    basis: Path | None = None
    """A published PCA basis of this data set, in UniTalker's keys."""


class Pair(NamedTuple):
    """The two files of one recording; whoever opens a missing one says so."""

    name: str
    annotation: Path
    audio: Path


def pairs(annotations: Path, ending: str, sounds: Path) -> list[Pair]:
    """Recordings whose annotation and sound have the same path below two folders (which may be the same one).

    Raises CorpusError where a folder is missing or holds no annotation.
    """
    motions = files_by_name(annotations, (ending,))
    if not motions:
        raise CorpusError(f"{annotations} holds no {ending} files; check the folder and the layout.")
    audio = files_by_name(sounds, SOUND_ENDINGS)
    return [
        Pair(name, motions.get(name, annotations / (name + ending)), audio.get(name, sounds / f"{name}.wav"))
        for name in sorted({*motions, *audio})
    ]


def files_by_name(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """All files with these endings below a folder, by their relative path without ending. Raises CorpusError."""
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder}; check the folder and the layout.")
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in endings)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}


def load_npy(path: Path, dim: int) -> np.ndarray:
    """float32 [frames, dim] from a .npy file of [frames, dim] or [frames, dim / 3, 3]. Raises ClipError."""
    try:
        values = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise ClipError(f"There is no annotation {path}.") from None
    except (OSError, EOFError, ValueError) as error:
        raise ClipError(f"{path} is no whole .npy file of numbers.") from error
    return checked(values, path, dim)


def checked(values: np.ndarray, path: Path, dim: int) -> np.ndarray:
    """The same motion as float32 [frames, dim]; ClipError where it has other numbers per frame, or broken ones."""
    if values.dtype.kind not in "fiu" or values.ndim < 2 or not len(values):
        raise ClipError(f"{path} holds no frames of numbers.")
    rows = values.reshape(len(values), -1)
    if rows.shape[1] != dim:
        raise ClipError(f"{path} has {rows.shape[1]} numbers per frame instead of {dim}.")
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32)
    if not np.isfinite(rows).all():
        raise ClipError(f"{path} holds numbers that are NaN or infinite.")
    return rows


def resampled(values: np.ndarray, seconds: np.ndarray, fps: float) -> np.ndarray:
    """Motion [frames, dim] whose frames lie at rising `seconds`, as float32 at `fps` from the first to the last."""
    times = seconds[0] + np.arange(int((seconds[-1] - seconds[0]) * fps + 1e-3) + 1) / fps
    place = np.interp(times, seconds, np.arange(len(seconds)))
    before = place.astype(int)
    share = (place - before)[:, None]
    after = np.minimum(before + 1, len(values) - 1)
    return (values[before] * (1 - share) + values[after] * share).astype(np.float32)


def drawn_split(clips: Iterable[AnnotatedClip]) -> tuple[AnnotatedClip, ...]:
    """The clips with splits drawn 8:1:1 for every identity, the same in every run (UniTalker, supplement 9.1).

    40 clips become 32, 4 and 4. Of fewer than ten clips, one is for validation and none for testing; of one or two,
    all are for training.
    """
    by_identity: dict[str, list[AnnotatedClip]] = defaultdict(list)
    for clip in clips:
        by_identity[clip.identity].append(clip)
    drawn = [clip for members in by_identity.values() for clip in _drawn(members)]
    return tuple(sorted(drawn, key=lambda clip: clip.name))


def _drawn(clips: list[AnnotatedClip]) -> list[AnnotatedClip]:
    shuffled = sorted(clips, key=lambda clip: hashlib.blake2b(clip.name.encode()).digest())
    tenth = len(clips) // 10
    validated = max(tenth, int(len(clips) > 2))
    return [replace(clip, split=_split_at(place, validated, tenth)) for place, clip in enumerate(shuffled)]


def _split_at(place: int, validated: int, tested: int) -> Split:
    if place < validated:
        return "val"
    return "test" if place < validated + tested else "train"
