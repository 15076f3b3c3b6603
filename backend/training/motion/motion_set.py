# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepared annotated motion: what training reads, one folder per data set.

data_set.json says the FaceSpace and the identities, manifest.jsonl has one line per clip, audio/NAME.flac is 16 kHz
mono, motion/NAME.npy float32 or float16 [frames, dim] in the model's unit, templates.npy float32 [identities, dim] the
neutral faces, and pca.npz, for vertices, the basis in UniTalker's keys. `prepare_motion` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
from backend import whole_file
from backend.checkpoint import SpaceRecord
from backend.face import FaceSpace
from backend.settings import SettingsError, from_plain, to_plain
from backend.training.errors import CorpusError
from backend.training.readers.annotated import Split

from . import principal_components
from .clip import SAMPLE_RATE, SHORTEST_SECONDS, Clip
from .principal_components import PrincipalComponents

FORMAT = 1
HEADER, MANIFEST, TEMPLATES, BASIS = "data_set.json", "manifest.jsonl", "templates.npy", "pca.npz"


@dataclass(frozen=True)
class PreparedClip:
    """One line of a manifest."""

    name: str
    identity: str
    """Data set and speaker, as `D1/3`."""
    split: Split
    fps: float
    samples: int
    frames: int
    emotions: dict[str, float] = field(default_factory=dict)
    """What is felt, by name of `backend.emotions`; none is neutral."""
    voice: str = ""
    """Who is heard, where that is not whose manner the motion is in."""

    @property
    def is_borrowed(self) -> bool:
        """Whether the motion is in another's manner than that of who is heard."""
        return bool(self.voice)

    @property
    def audio(self) -> str:
        """Where its sound lies in the folder."""
        return f"audio/{self.name}.flac"

    @property
    def motion(self) -> str:
        """Where its motion lies in the folder."""
        return f"motion/{self.name}.npy"


@dataclass(frozen=True)
class Header:
    """The content of data_set.json."""

    format: int
    name: str
    layout: str
    source: str
    """The folder that it was made from."""
    space: SpaceRecord
    identities: tuple[str, ...]
    """In the order of the templates; without the pivot."""


@dataclass(frozen=True, eq=False)
class MotionSet:
    """One prepared data set; sound and motion are read when they are asked for."""

    folder: Path
    header: Header
    clips: tuple[PreparedClip, ...]

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def space(self) -> FaceSpace:
        """Without a template: it belongs to the identities."""
        return self.header.space.space()

    @cached_property
    def templates(self) -> np.ndarray:
        """float32 [identities, dim] in the model's unit."""
        path = self.folder / TEMPLATES
        templates = _array(path)
        if templates.shape != (len(self.header.identities), self.header.space.dim):
            raise CorpusError(f"{path} does not hold one neutral face per identity; prepare the data set again.")
        return templates

    def split(self, name: Split) -> tuple[PreparedClip, ...]:
        """The clips of one split."""
        return tuple(clip for clip in self.clips if clip.split == name)

    def template(self, clip: PreparedClip) -> np.ndarray:
        """float32 [dim]: the neutral face of who speaks."""
        return self.templates[self.header.identities.index(clip.identity)]

    def motion(self, clip: PreparedClip) -> np.ndarray:
        """float32 or float16 [frames, dim], mapped from the disk."""
        return _array(self.folder / clip.motion)

    def load(self, clip: PreparedClip) -> Clip:
        """Sound, motion and template of one clip. Raises CorpusError, naming the file."""
        sound, path = self.folder / clip.audio, self.folder / clip.motion
        try:
            samples, _ = soundfile.read(sound, dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise CorpusError(f"{sound} is missing or damaged; prepare the data set again.") from error
        motion = np.array(_array(path), np.float32)  # a copy in memory, which torch may write to
        if not np.isfinite(motion).all():
            raise CorpusError(f"{path} holds numbers that are NaN or infinite.")
        return Clip(samples, motion, self.template(clip).copy(), clip.fps)

    def basis(self) -> PrincipalComponents | None:
        """The PCA basis; None for spaces that are no vertices. Raises CorpusError."""
        path = self.folder / BASIS
        return principal_components.read(path, self.header.space.dim) if path.is_file() else None

    def offsets(self) -> Iterator[np.ndarray]:
        """float32 [frames, dim] of every training clip: motion minus template, what a basis is made of."""
        for clip in self.split("train"):
            yield np.asarray(self.motion(clip), np.float32) - self.template(clip)


def same_numbers(one: FaceSpace, other: FaceSpace) -> bool:
    """Whether motion of one space is motion of the other; a frame rate is no hindrance."""
    meanings = [(space.kind, space.dim, space.channels, space.scale) for space in (one, other)]
    return meanings[0] == meanings[1]


def read(folders: Sequence[Path]) -> tuple[MotionSet, ...]:
    """The data sets in folders that `prepare` wrote; a folder may be one data set or hold several.

    Every clip's files are looked at, but not loaded. Raises CorpusError with one sentence that names the file.
    """
    sets = [_read(home) for folder in folders for home in _homes(folder)]
    by_name: dict[str, MotionSet] = {}
    for found in sets:
        other = by_name.setdefault(found.name, found)
        if other is not found:
            raise CorpusError(
                f"{other.folder} and {found.folder} are both named {found.name}; prepare one again with --name."
            )
    return tuple(sets)


def in_space(sets: Sequence[MotionSet], name: str) -> tuple[MotionSet, ...]:
    """The same data sets with another name for their FaceSpace. Raises CorpusError where they are not of one kind."""
    if stranger := next((found for found in sets if not same_numbers(found.space, sets[0].space)), None):
        raise CorpusError(f"{stranger.folder} has other controls than {sets[0].folder}: train on one of them.")
    if not name or "." in name:
        raise CorpusError(f"{name!r} cannot be the name of a face space; choose one without dots, such as my_rig.")
    return tuple(
        replace(found, header=replace(found.header, space=replace(found.header.space, name=name))) for found in sets
    )


def write(found: MotionSet) -> None:
    """Write data_set.json and, last of all, the manifest, each only when it is whole."""
    write_header(found.folder, found.header)
    lines = "".join(json.dumps(to_plain(clip), ensure_ascii=False) + "\n" for clip in found.clips)
    write_text(found.folder / MANIFEST, lines)


def write_header(folder: Path, header: Header) -> None:
    """Write data_set.json."""
    write_text(folder / HEADER, json.dumps(to_plain(header), ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears under its name only when it is whole."""
    with whole_file.written(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_header(folder: Path) -> Header:
    """What data_set.json of a folder says. Raises CorpusError."""
    path = folder / HEADER
    try:
        header = from_plain(Header, json.loads(path.read_text(encoding="utf-8")), HEADER)
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}.") from error
    except SettingsError as error:
        raise CorpusError(f"{path} is damaged: {error}.") from error
    except ValueError as error:
        raise CorpusError(f"{path} is no JSON file.") from error
    if header.format != FORMAT:
        raise CorpusError(f"{path} has format {header.format}, and this version reads {FORMAT}: prepare it again.")
    return header


def _homes(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file():
        return [folder]
    homes = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}") if (path.parent / HEADER).is_file())
    if not homes:
        raise CorpusError(f"{folder} holds no prepared data set; make one with `prepare --layout`.")
    return homes


def _read(home: Path) -> MotionSet:
    header = read_header(home)
    manifest = home / MANIFEST
    with manifest.open(encoding="utf-8") as lines:
        clips = tuple(_clip(line, f"{manifest} line {number}") for number, line in enumerate(lines, 1))
    for clip in clips:
        _check(home, header, clip)
    return MotionSet(home, header, clips)


def _clip(line: str, where: str) -> PreparedClip:
    try:
        return from_plain(PreparedClip, json.loads(line), "the clip")
    except ValueError as error:
        raise CorpusError(f"{where} is no clip: {error}.") from error


def _check(home: Path, header: Header, clip: PreparedClip) -> None:
    """That a clip's files are there and what the manifest says; NaN is looked for when they are loaded."""
    sound, motion = home / clip.audio, home / clip.motion
    if clip.identity not in header.identities:
        raise CorpusError(f"{clip.name} in {home / MANIFEST} is of {clip.identity}, whom {HEADER} does not know.")
    if clip.fps != header.space.fps:
        raise CorpusError(f"{motion} runs at {clip.fps:g} frames per second instead of {header.space.fps:g}.")
    shape = _array(motion).shape
    if shape != (clip.frames, header.space.dim):
        found, wanted = (" x ".join(map(str, size)) for size in (shape, (clip.frames, header.space.dim)))
        raise CorpusError(f"{motion} is {found} numbers instead of {wanted} (frames x dimensions).")
    samples = _samples(sound)
    if samples != clip.samples:
        raise CorpusError(f"{sound} has {samples} samples at 16 kHz instead of {clip.samples}.")
    if min(samples / SAMPLE_RATE, clip.frames / clip.fps) < SHORTEST_SECONDS - 0.5 / clip.fps:
        raise CorpusError(f"{sound} lasts {samples / SAMPLE_RATE:.2f} s; at least {SHORTEST_SECONDS:g} s are needed.")


def _samples(path: Path) -> int:
    try:
        about = soundfile.info(path)
    except (OSError, soundfile.SoundFileError) as error:
        raise CorpusError(f"{path} is missing or damaged; prepare the data set again.") from error
    if about.samplerate != SAMPLE_RATE or about.channels != 1:
        raise CorpusError(f"{path} is not mono at 16 kHz; prepare the data set again.")
    return about.frames


def _array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise CorpusError(f"{path} is missing or damaged; prepare the data set again.") from error
    if array.dtype not in (np.float32, np.float16):
        raise CorpusError(f"{path} holds {array.dtype} and not float32 or float16; prepare the data set again.")
    return array
