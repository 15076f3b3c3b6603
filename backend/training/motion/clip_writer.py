# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the clips of one data set into its prepared folder (`motion_set`), by UniTalker's data-item rules (`clip`).

What was made is kept when a run is killed: journal.jsonl gets one line per recording, and the next run makes only what
is missing or whose files have changed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from backend import whole_file
from backend.audio import AudioError, decode, level
from backend.training.readers.annotated import AnnotatedClip, DataSet

from .clip import LONGEST_SECONDS, SAMPLE_RATE, SHORTEST_SECONDS, Clip, ClipError, cut
from .motion_set import PreparedClip

JOURNAL = "journal.jsonl"
Lengths = list[list[int]]
"""Samples and frames of each clip that a recording became."""


class ClipWriter:
    """The prepared folder of one data set while it is filled."""

    def __init__(self, home: Path, data_set: DataSet, half: bool) -> None:
        """`half` stores motion as float16."""
        self.home, self.data_set = home, data_set
        self.number_type = np.float16 if half else np.float32
        self.added = 0
        """Recordings that were made and not found in the journal."""
        self._done = _read_journal(home / JOURNAL)

    def write(self, recording: AnnotatedClip) -> list[PreparedClip]:
        """The clips of a recording, made now or before. Raises ClipError, naming the file, for a broken one."""
        stamp = self._stamp(recording)
        known_stamp, lengths = self._done.get(recording.name, ([], []))
        clips = self._described(recording, lengths)
        if known_stamp == stamp and all((self.home / clip.motion).is_file() for clip in clips):
            return clips
        made = list(_clips_of(recording, self.data_set))
        clips = self._described(recording, [[len(clip.samples), len(clip.motion)] for clip in made])
        for about, clip in zip(clips, made, strict=True):
            self._store(about, clip)
        self._note(recording.name, stamp, [[clip.samples, clip.frames] for clip in clips])
        return clips

    def _stamp(self, recording: AnnotatedClip) -> list[float]:
        """Numbers that change when a recording has to be made again."""
        try:
            files = [path.stat() for path in (recording.audio, recording.annotation)]
        except FileNotFoundError as error:
            other = recording.annotation if error.filename == str(recording.audio) else recording.audio
            raise ClipError(f"{error.filename} is missing beside {other.name}.") from None
        space, size = self.data_set.space, np.dtype(self.number_type).itemsize
        order = zlib.crc32("\n".join(space.channels).encode())
        facts = (recording.fps, recording.start, space.scale, size, space.dim, order, self.data_set.level)
        return [*facts, *(number for file in files for number in (file.st_size, file.st_mtime_ns))]

    def _described(self, recording: AnnotatedClip, lengths: Lengths) -> list[PreparedClip]:
        names = [recording.name if len(lengths) == 1 else f"{recording.name}-{n:03}" for n in range(len(lengths))]
        people = (recording.identity, recording.voice)
        identity, voice = (f"{self.data_set.name}/{name}" if name else "" for name in people)
        split, fps, emotions = recording.split, self.data_set.space.fps, dict(recording.emotions)
        return [
            PreparedClip(name, identity, split, fps, samples, frames, emotions, voice)
            for name, (samples, frames) in zip(names, lengths, strict=True)
        ]

    def _store(self, about: PreparedClip, clip: Clip) -> None:
        with np.errstate(over="ignore"):
            motion = clip.motion.astype(self.number_type)
        if not np.isfinite(motion).all():
            raise ClipError(f"The motion of {about.name} is too large for float16.")
        samples = np.clip(clip.samples, -1, 1)
        write_whole(
            self.home / about.audio, lambda path: soundfile.write(path, samples, SAMPLE_RATE, "PCM_16", format="FLAC")
        )
        write_array(self.home / about.motion, motion)

    def _note(self, name: str, stamp: list[float], lengths: Lengths) -> None:
        self.added += 1
        with (self.home / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps([name, stamp, lengths], ensure_ascii=False) + "\n")


def write_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file that appears under its name only when it is whole."""

    def save(partial: Path) -> None:
        with partial.open("wb") as file:
            np.save(file, array)

    write_whole(path, save)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file written beside its place and moved there when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file.written(path) as partial:
        write(partial)


def _clips_of(recording: AnnotatedClip, data_set: DataSet) -> Iterator[Clip]:
    """The recording as one clip of at most 20 s, or cut into several. Raises ClipError, naming the file."""
    motion, samples = recording.load(), _sound(recording)
    samples = level(samples) if data_set.level else samples
    template, space = np.zeros(data_set.space.dim), data_set.space
    found = False
    for start in _starts(len(motion) / recording.fps) if data_set.cut_long else [0]:
        try:
            frames = motion[round(start * recording.fps) :]
            clip = cut(samples[start * SAMPLE_RATE :], frames, recording.fps, template, space.scale)
        except ClipError as error:
            raise ClipError(f"{recording.annotation} cannot be used: {error}") from error
        if clip is None:
            continue
        if clip.fps != space.fps:
            raise ClipError(f"{recording.annotation} gives {clip.fps:g} frames per second instead of {space.fps:g}.")
        found = True
        yield clip
    if not found:
        seconds = min(len(samples) / SAMPLE_RATE, len(motion) / recording.fps)
        raise ClipError(
            f"{recording.audio} and its annotation have {seconds:.2f} s in common;"
            f" at least {SHORTEST_SECONDS:g} s are needed."
        )


def _starts(seconds: float) -> range:
    return range(0, max(int(np.ceil(seconds)), 1), LONGEST_SECONDS)


def _sound(recording: AnnotatedClip) -> np.ndarray:
    """float32 [n] at 16 kHz, from where the motion starts."""
    path = recording.audio
    if path.suffix == ".npy":
        return _stored_samples(path)[round(recording.start * SAMPLE_RATE) :]
    try:
        return decode(path, recording.start)
    except AudioError as error:
        raise ClipError(f"{path} cannot be used: {error}") from error


def _stored_samples(path: Path) -> np.ndarray:
    try:
        samples = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise ClipError(f"{path} is no whole .npy file of samples.") from error
    if samples.ndim != 1 or samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise ClipError(f"{path} does not hold the samples of one channel.")
    return samples.astype(np.float32)


def _read_journal(path: Path) -> dict[str, tuple[list[float], Lengths]]:
    """What is known of each recording; the last line may be half written, and a later line of a name counts."""
    done: dict[str, Any] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                name, stamp, lengths = json.loads(line)
            except ValueError:
                continue
            done[name] = (stamp, lengths)
    return done
