# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect: recordings with known words become a corpus; the default model's own ear says when each phone is spoken.

What does not fit its words is left out, for nobody checked these texts against the sounds.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile
from backend import alignment, catalogue, checkpoint, hearing, phone_track
from backend.audio import SAMPLE_RATE, AudioError, decode, level
from backend.checkpoint import LoadedModel
from backend.phone_track import TimedPhone
from backend.phonetics import espeak, words
from backend.phonetics.phones import CLASSES, IPA, SILENCE, Phone, closures_of
from backend.phonetics.pronunciation import PronunciationError
from backend.training.errors import CorpusError
from tqdm import tqdm

from . import corpus
from .corpus import Recording
from .packages import Prompted
from .stops import band_level, snapped_closures

LONGEST = 20.0
"""Seconds of one sound."""
LONGEST_PHONE = 0.6
"""Seconds; a phone that lasts longer covers something that the words do not tell."""
TOGETHER = 8.0
"""Seconds that short sounds of one speaker are joined up to: a chunk of training should not be half empty."""
_PAUSE = 0.25
"""Seconds kept before and behind the words."""
_SEARCH = (-0.03, 0.09)
"""Seconds from the start of a p or b in which its gap is looked for; the ear reads every 20 ms."""
_PAUSED = CLASSES[SILENCE]
_BATCH = 24
"""Sounds that a worker process takes at a time."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """One sound with its phones, cut to its words."""

    prompted: Prompted
    samples: np.ndarray
    """float32 [n] at 16 kHz."""
    phones: tuple[Phone, ...]


def collect(prompted: Sequence[Prompted], folder: Path, processes: int, listener: str = "default") -> tuple[int, int]:
    """Writes the corpus of some sounds; returns how many of them it holds, and how many were left out.

    `listener` is a model that hears phones, by name or file. Raises CheckpointError where it cannot be opened, and
    CorpusError where it hears none or espeak-ng, which tells how words are said, is missing.
    """
    if espeak.program() is None:
        raise CorpusError("espeak-ng is not installed, and only it knows how the words of so many languages are said.")
    _ear(listener)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    batches = _batches(prompted)
    kept, lines = 0, []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        work = pool.imap(partial(_collected, folder, listener), batches.items())
        for count, recordings in tqdm(work, "collect", len(batches), unit=f"x{_BATCH} sounds"):
            kept += count
            lines += [corpus.write_line(recording) + "\n" for recording in recordings]
    (folder / corpus.MANIFEST).write_text("".join(lines), encoding="utf-8")
    return kept, len(prompted) - kept


def _batches(prompted: Sequence[Prompted]) -> dict[str, list[Prompted]]:
    """The sounds, some of one speaker at a time, by a name for them."""
    by_speaker: dict[str, list[Prompted]] = defaultdict(list)
    for one in prompted:
        by_speaker[one.speaker].append(one)
    return {
        f"{speaker}-{first // _BATCH:03d}": sounds[first : first + _BATCH]
        for speaker, sounds in by_speaker.items()
        for first in range(0, len(sounds), _BATCH)
    }


def _collected(folder: Path, listener: str, batch: tuple[str, list[Prompted]]) -> tuple[int, list[Recording]]:
    """Aligns a batch, writes what fits its words, short sounds together; runs in a worker process."""
    name, prompted = batch
    sounds = [one for each in prompted if (one := _aligned(listener, each)) is not None]
    groups = enumerate(_groups(sounds))
    return len(sounds), [_recording(folder, f"{name}-{number:02d}", group) for number, group in groups]


@cache
def _ear(listener: str) -> LoadedModel:
    """The model that listens, opened once in a process; raises CheckpointError, or CorpusError for a deaf one."""
    import torch

    torch.set_num_threads(1)
    loaded = checkpoint.load(catalogue.find_or_open(listener))
    if not hearing.has_ears(loaded):
        raise CorpusError(f"The model {listener} hears no phones; name one that does, such as default.")
    return loaded


def _aligned(listener: str, prompted: Prompted) -> Aligned | None:
    """One sound with its phones; None where it does not fit its words."""
    try:
        samples = level(decode(prompted.sound))
        spoken = words.pronounce(prompted.text, prompted.language)
    except (AudioError, PronunciationError):
        return None
    if len(samples) > LONGEST * SAMPLE_RATE:
        return None
    heard = hearing.listen(_ear(listener), samples)
    track = phone_track.aligned(heard.phones, spoken, alignment.decode(heard.phones))
    return None if track is None or not _believable(track) else _cut(prompted, samples, track)


def _believable(track: Sequence[TimedPhone]) -> bool:
    lengths = [phone.end - phone.start for phone in track if phone.viseme != _PAUSED]
    return bool(lengths) and max(lengths) <= LONGEST_PHONE


def _cut(prompted: Prompted, samples: np.ndarray, track: Sequence[TimedPhone]) -> Aligned:
    """From just before the first word until just behind the last one."""
    spoken = [phone for phone in track if phone.viseme != _PAUSED]
    begin = max(spoken[0].start - _PAUSE, 0.0)
    end = min(spoken[-1].end + _PAUSE, len(samples) / SAMPLE_RATE)
    phones = [Phone(phone.name, max(phone.start, begin) - begin, min(phone.end, end) - begin) for phone in track]
    phones[-1] = phones[-1]._replace(end=end - begin)
    kept = tuple(phone for phone in phones if phone.end > phone.start)
    return Aligned(prompted, samples[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)], kept)


def _groups(sounds: Sequence[Aligned]) -> Iterator[list[Aligned]]:
    group: list[Aligned] = []
    for one in sounds:
        group.append(one)
        if sum(len(each.samples) for each in group) >= TOGETHER * SAMPLE_RATE:
            yield group
            group = []
    if group:
        yield group


def _recording(folder: Path, name: str, group: Sequence[Aligned]) -> Recording:
    """Writes the sounds one behind the other, and tells of them."""
    samples = np.concatenate([one.samples for one in group])
    audio = f"audio/{name}.flac"
    soundfile.write(folder / audio, np.clip(samples, -1, 1), SAMPLE_RATE)
    phones = _in_a_row(group)
    heard = snapped_closures(phones, band_level(samples, SAMPLE_RATE), _SEARCH)
    about = group[0].prompted
    return Recording(
        audio=audio,
        text=" ".join(one.prompted.text for one in group),
        speaker=about.speaker,
        language=about.language,
        source=about.source,
        licence=about.licence,
        phones=phones,
        closures=corpus.rounded(closures_of(phones)),
        closures_snap=corpus.rounded(heard),
        alphabet=IPA,
        aligned="own ear",
        duration=len(samples) / SAMPLE_RATE,
    )


def _in_a_row(group: Sequence[Aligned]) -> tuple[Phone, ...]:
    phones: list[Phone] = []
    for one, offset in zip(group, np.cumsum([0, *(len(one.samples) for one in group)]) / SAMPLE_RATE, strict=False):
        phones += [Phone(name, round(start + offset, 4), round(end + offset, 4)) for name, start, end in one.phones]
    return tuple(phones)
