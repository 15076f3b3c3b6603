# SPDX-License-Identifier: GPL-3.0-or-later
"""LibriSpeech as it is unpacked, with a TextGrid of the Montreal Forced Aligner for every utterance.

Sounds are SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac, and SPEAKER-CHAPTER.trans.txt beside them has their words.
The TextGrid of an utterance has its name; it lies anywhere in the folder that is read, or in a folder beside that one
at the place that the sound has in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from backend.audio import SAMPLE_RATE, AudioError, decode
from backend.phonetics.phones import ARPABET, ARPABET_NAMES, IPA, Phone, classes_of, closures_of
from backend.training.errors import CorpusError
from tqdm import tqdm

from . import corpus, text_grid
from .corpus import Recording
from .stops import band_level, snapped_closures
from .text_grid import Interval

_TRANSCRIPTS = "*.trans.txt"
_LINE = re.compile(r"(?P<name>(?P<speaker>\d+)-\d+-\d+)(?:\s+(?P<text>.*))?")
_PHONES = "phones"
_PAUSE = "sil"
_PAUSES = frozenset({"", "sil", "sp"})
_UNKNOWN = "spn"
"""The aligner's phone for a word that its dictionary does not have: something is spoken, and nobody knows what."""
_SEARCH = (-0.02, 0.07)
"""Seconds from the start of a p or b in which its gap is looked for; aligners decide every 10 ms."""
_LONGER = 0.05
"""Seconds that a TextGrid may last longer than its sound."""
_SEAM = 0.001
"""Seconds; a shorter gap between two phones is no pause."""


@dataclass(frozen=True)
class Utterance:
    """One line of a transcript."""

    sound: Path
    text: str
    speaker: str
    source: str


def is_layout(folder: Path) -> bool:
    """Whether LibriSpeech lies in a folder: all of it, some subsets, or some speakers."""
    return next(folder.rglob(_TRANSCRIPTS), None) is not None


def read(folder: Path) -> tuple[list[Recording], str]:
    """The utterances whose phones are known, and a sentence about those that are left out, empty where none are.

    Their sounds are heard for the closures. Raises CorpusError, naming the file, for what is broken, and where nothing
    is left.
    """
    utterances = list(_utterances(folder))
    grids = list(_grids(folder, utterances))
    known = [
        (utterance, grid, intervals)
        for utterance, grid in tqdm(grids, f"read {folder.name}", unit=f" {text_grid.ENDING}")
        if (intervals := _intervals(grid)) is not None
    ]
    reasons = _reasons(len(utterances) - len(grids), len(grids) - len(known))
    if not known:
        without = f"{folder} has no utterance to learn from ({reasons or 'its transcripts are empty'})"
        raise CorpusError(
            f"{without}; put the aligner's {text_grid.ENDING} files into it, or in a tree like it beside it."
        )
    count = len(utterances) - len(known)
    left_out = f"left out {count} of {len(utterances)} utterances in {folder}: {reasons}" if count else ""
    return [_recording(folder, *one) for one in tqdm(known, f"hear {folder.name}", unit=" recordings")], left_out


def _reasons(unaligned: int, unknown: int) -> str:
    """Why so many utterances are left out."""
    reasons = [f"{unaligned} without a {text_grid.ENDING}"] if unaligned else []
    reasons += [f"{unknown} with a word that the aligner did not know ({_UNKNOWN})"] if unknown else []
    return ", ".join(reasons)


def _utterances(folder: Path) -> Iterator[Utterance]:
    """Every line of every transcript, in the order of the names."""
    for transcript in sorted(folder.rglob(_TRANSCRIPTS)):
        source = f"LibriSpeech {transcript.resolve().parent.parent.parent.name}"
        for number, line in enumerate(_lines(transcript), 1):
            found = _LINE.fullmatch(line.strip())
            if found is None:
                raise CorpusError(f"{transcript} line {number} is not SPEAKER-CHAPTER-NNNN with its words.")
            sound = transcript.with_name(f"{found['name']}.flac")
            yield Utterance(sound, (found["text"] or "").lower(), f"librispeech-{found['speaker']}", source)


def _lines(transcript: Path) -> list[str]:
    try:
        return transcript.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{transcript} cannot be read: {error}.") from error


def _grids(folder: Path, utterances: Sequence[Utterance]) -> Iterator[tuple[Utterance, Path]]:
    """The utterances that have a TextGrid, each with it: beside the sound, else inside the folder, else beside that."""
    inside = {path.stem: path for path in sorted(folder.rglob(f"*{text_grid.ENDING}"), reverse=True)}
    own = folder.resolve()
    trees = [path for path in sorted(own.parent.iterdir()) if path.is_dir() and path != own]
    for utterance in utterances:
        grid = utterance.sound.with_suffix(text_grid.ENDING)
        elsewhere = [inside[grid.stem]] if grid.stem in inside else [tree / grid.relative_to(folder) for tree in trees]
        found = next((path for path in (grid, *elsewhere) if path.is_file()), None)
        if found is not None:
            yield utterance, found


def _intervals(grid: Path) -> list[Interval] | None:
    """The phones of a TextGrid; None where a word is not known. Raises CorpusError, naming the file."""
    tiers = text_grid.read(grid)
    # with several speakers in a file the aligner puts their names before it
    chosen = next((name for name in tiers if name == _PHONES or name.endswith(f" - {_PHONES}")), None)
    if chosen is None:
        raise CorpusError(f"{grid} has no tier “{_PHONES}”; it has {', '.join(tiers) or 'none of intervals'}.")
    intervals = [interval._replace(text=interval.text.strip()) for interval in tiers[chosen]]
    return None if any(interval.text == _UNKNOWN for interval in intervals) else intervals


def _recording(folder: Path, utterance: Utterance, grid: Path, intervals: Sequence[Interval]) -> Recording:
    samples = _samples(utterance.sound)
    duration = len(samples) / SAMPLE_RATE
    if intervals and intervals[-1].end > duration + _LONGER:
        longer = f"{intervals[-1].end:.2f} s, and {utterance.sound.name} {duration:.2f} s"
        raise CorpusError(f"{grid} lasts {longer}; they do not belong together.")
    alphabet = _alphabet(grid, {interval.text for interval in intervals} - _PAUSES)
    phones = _tiled(intervals, duration, alphabet)
    heard = snapped_closures(phones, band_level(samples, SAMPLE_RATE), _SEARCH)
    return Recording(
        audio=utterance.sound.relative_to(folder).as_posix(),
        text=utterance.text,
        speaker=utterance.speaker,
        language="en",
        source=utterance.source,
        licence="CC-BY-4.0",
        phones=phones,
        closures=corpus.rounded(closures_of(phones)),
        closures_snap=corpus.rounded(heard),
        alphabet=alphabet,
        aligned="forced",
        duration=duration,
    )


def _samples(sound: Path) -> np.ndarray:
    """float32 [n] at 16 kHz."""
    try:
        return decode(sound)
    except AudioError as error:
        raise CorpusError(f"{sound}: {error}") from error


def _alphabet(grid: Path, names: set[str]) -> str:
    """The alphabet of all phones of a TextGrid; the aligner's newer English models speak IPA. Raises CorpusError."""
    strange = sorted(name for name in names if _name(name, ARPABET) not in ARPABET_NAMES)
    if not strange:
        return ARPABET
    if all(classes_of(name, IPA) for name in names):
        return IPA
    raise CorpusError(f"{grid} has the phone “{strange[0]}”, which is not in the alphabet of the others.")


def _name(name: str, alphabet: str) -> str:
    """A phone as corpora name it: ARPAbet in small letters and without its stress."""
    return name.lower().rstrip("012") if alphabet == ARPABET else name


def _tiled(intervals: Sequence[Interval], duration: float, alphabet: str) -> tuple[Phone, ...]:
    """Phones from 0 to the end (seconds) without gaps: what no interval covers is a pause."""
    phones: list[Phone] = []
    reached = 0.0
    for text, start, end in intervals:
        begin, stop = (min(max(time, reached), duration) for time in (start, end))
        if begin > reached + _SEAM:
            phones.append(Phone(_PAUSE, reached, begin))
            reached = begin
        if stop > reached:
            phones.append(Phone(_PAUSE if text in _PAUSES else _name(text, alphabet), reached, stop))
            reached = stop
    if duration > reached + _SEAM:
        phones.append(Phone(_PAUSE, reached, duration))
    return tuple(phones)
