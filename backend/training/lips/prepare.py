# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare: corpora in, one training set out: sound at 16 kHz and the motion that the rules give to it.

A set is a folder of plain arrays that training maps into memory, with one line per recording in clips.jsonl:
samples.npy int16 [samples], curves.npy float16 [frames, 18] (`rules.CHANNELS` at 60 fps), visemes.npy uint8 [frames]
(`phones.CLASSES`), lips.npy uint8 [frames] (open, shut, between).
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
from backend.audio import SAMPLE_RATE, AudioError, decode
from backend.phonetics.phones import CLASSES, Phone, split
from backend.training.errors import CorpusError
from backend.training.speech import layouts
from backend.training.speech.corpus import Recording
from tqdm import tqdm

from . import rules
from .codecs import through_any
from .prosody import accents

FPS = 60.0
OPEN, SHUT, BETWEEN = 0, 1, 2
"""What lips.npy says of a frame; between, near the edges of a closure, either answer is right."""
CLIPS = "clips.jsonl"
CODED = 0.25
"""Share of the recordings that are there a second time, as a lossy codec leaves them."""
COPY = " (coded)"
"""Behind the name of such a copy."""
_EDGE = 0.025
_SAMPLES_PER_FRAME_60 = SAMPLE_RATE / FPS


@dataclass(frozen=True)
class Clip:
    """One recording inside a set."""

    name: str
    speaker: str
    language: str
    source: str
    first_sample: int
    samples: int
    first_frame: int
    frames: int
    phones: tuple[Phone, ...]
    """As the corpus names them, for scoring."""
    closures: tuple[tuple[float, float], ...]


Made: TypeAlias = tuple[str, dict[str, np.ndarray]]
"""A recording, or a coded copy of one: its name in the set, and its arrays by name."""


def prepare(corpora: list[Path], folder: Path, processes: int = 1) -> tuple[int, list[str]]:
    """Writes the set of all recordings of some corpus folders, some of them twice; it is the same by any `processes`.

    Returns how many are in it, and a sentence for each corpus that had to leave some out. Raises CorpusError, naming
    the file, for a recording whose sound is missing or broken, and where there is none.
    """
    read = [(source, *layouts.read(source)) for source in corpora]
    recordings = [(source, recording) for source, found, _ in read for recording in found]
    if not recordings:
        raise CorpusError(f"There is no recording in {' or '.join(map(str, corpora))}; make some with `synthesize`.")
    with _new_folder(folder):
        return _write(recordings, folder, processes), [left_out for *_, left_out in read if left_out]


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """A folder that is gone again if nothing came to lie in it; that it can be made is known before the long work."""
    was_there = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        if not was_there and not any(folder.iterdir()):
            folder.rmdir()


def _write(recordings: list[tuple[Path, Recording]], folder: Path, processes: int) -> int:
    """The set's arrays and its index; returns how many clips it has."""
    arrays: dict[str, list[np.ndarray]] = {"samples": [], "curves": [], "visemes": [], "lips": []}
    clips: list[Clip] = []
    sample = frame = 0
    with _side_by_side(recordings, processes) as each:
        shown = tqdm(each, "prepare", len(recordings), unit=" recordings")
        for (_, recording), versions in zip(recordings, shown, strict=True):
            for name, made in versions:
                for kind, array in made.items():
                    arrays[kind].append(array)
                clips.append(_clip(name, recording, sample, len(made["samples"]), frame, len(made["curves"])))
                sample, frame = sample + len(made["samples"]), frame + len(made["curves"])
    for name, pieces in arrays.items():
        np.save(folder / f"{name}.npy", np.concatenate(pieces))
    lines = (json.dumps(asdict(clip), ensure_ascii=False) for clip in clips)
    (folder / CLIPS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(clips)


@contextmanager
def _side_by_side(recordings: list[tuple[Path, Recording]], processes: int) -> Iterator[Iterator[list[Made]]]:
    """What becomes of each recording, in their order, made by so many processes."""
    if processes == 1:
        yield map(_versions, recordings)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield pool.imap(_versions, recordings, chunksize=16)


def arrays_of(recording: Recording, samples: np.ndarray) -> dict[str, np.ndarray]:
    """What a set keeps of one recording (float32 [n] at 16 kHz), by array name."""
    frames = round(len(samples) / _SAMPLES_PER_FRAME_60)
    closures = recording.shut()
    loudness = [loudness_of(samples, phone) for phone in recording.phones]
    stressed = accents(samples, recording.phones, recording.alphabet)
    speech = rules.Speech(recording.phones, closures, loudness, recording.alphabet, stressed)
    times = np.arange(frames) / FPS
    return {
        "samples": _as_stored(samples),
        "curves": rules.weights(speech, frames, FPS).astype(np.float16),
        "visemes": visemes(recording, times),
        "lips": lip_states(closures, times),
    }


def visemes(recording: Recording, times: np.ndarray) -> np.ndarray:
    """uint8 [frames]: the index in CLASSES of the phone at each time."""
    parts = split(recording.phones, recording.alphabet)
    numbers = np.array([CLASSES.index(part.name) for part in parts], np.uint8)
    ends = np.array([part.end for part in parts])
    return numbers[np.minimum(np.searchsorted(ends, times, side="right"), len(parts) - 1)]


def lip_states(closures: list[tuple[float, float]], times: np.ndarray) -> np.ndarray:
    """uint8 [frames]: SHUT inside a closure, BETWEEN within 25 ms of one, OPEN elsewhere."""
    states = np.full(len(times), OPEN, np.uint8)
    for start, end in closures:
        states[(times > start - _EDGE) & (times < end + _EDGE)] = BETWEEN
    for start, end in closures:
        middle = (start + end) / 2
        half = max((end - start) / 2, 0.5 / FPS)
        states[(times >= middle - half) & (times <= middle + half)] = SHUT
    return states


def read_clips(folder: Path) -> list[Clip]:
    """The recordings of a set; raises CorpusError where the folder is none."""
    index = folder / CLIPS
    if not index.is_file():
        raise CorpusError(f"{folder} is no training set; make one with `prepare`.")
    return list(_clips(index))


def _clips(index: Path) -> Iterator[Clip]:
    with index.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            row["phones"] = tuple(Phone(*phone) for phone in row["phones"])
            row["closures"] = tuple((start, end) for start, end in row["closures"])
            yield Clip(**row)


def _versions(found: tuple[Path, Recording]) -> list[Made]:
    """The arrays of a recording in its corpus, and for some recordings those of a coded copy, each with a name."""
    source, recording = found
    name = f"{source.name}/{recording.audio}"
    made = arrays_of(recording, _sound(source / recording.audio))
    random = Random(name)
    if random.random() >= CODED:
        return [(name, made)]
    heard = through_any(made["samples"].astype(np.float32) / 32768, random)
    return [(name, made), (f"{name}{COPY}", made | {"samples": _as_stored(heard)})]


def _as_stored(samples: np.ndarray) -> np.ndarray:
    return np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)


def _clip(name: str, recording: Recording, sample: int, samples: int, frame: int, frames: int) -> Clip:
    return Clip(
        name,
        recording.speaker,
        recording.language,
        recording.source,
        sample,
        samples,
        frame,
        frames,
        recording.phones,
        recording.closures,
    )


def _sound(path: Path) -> np.ndarray:
    try:
        return decode(path)
    except AudioError as error:
        raise CorpusError(f"{path}: {error}") from error


def loudness_of(samples: np.ndarray, phone: Phone) -> float:
    """Decibels of a phone in its recording (float32 [n] at 16 kHz)."""
    piece = samples[round(phone.start * SAMPLE_RATE) : round(phone.end * SAMPLE_RATE) + 1]
    return float(10 * np.log10(np.mean(np.square(piece, dtype=np.float64)) + 1e-9)) if len(piece) else -90.0
