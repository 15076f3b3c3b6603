# SPDX-License-Identifier: GPL-3.0-or-later
"""Corpus: aligned recordings in a folder with one manifest.jsonl, whether synthesized here or recorded from people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from backend.phonetics.phones import Phone, closures_of
from backend.training.errors import CorpusError

from .effort import Effort

MANIFEST = "manifest.jsonl"
_UNKNOWN = {"text": "", "speaker": "", "language": "", "source": "", "licence": ""}


@dataclass(frozen=True)
class Recording:
    """One line of a manifest; times in seconds, phones tile the recording."""

    audio: str
    """Path relative to the manifest."""
    text: str
    speaker: str
    language: str
    source: str
    licence: str
    phones: tuple[Phone, ...]
    closures: tuple[tuple[float, float], ...]
    """When the lips are shut, one interval for each p, b and m in order."""
    closures_snap: tuple[tuple[float, float], ...] = ()
    """The same with p and b moved to the gap in the sound; empty where nobody looked."""
    alphabet: str = "arpabet"
    aligned: str = "engine"
    """Where the times come from: `engine`, `forced` (a recogniser), `cross-lingual` (one of another language) or
    `own ear` (the default model)."""
    score: float = 1.0
    """How sure the aligner was, 0 to 1."""
    duration: float = 0.0
    emotions: dict[str, float] = field(default_factory=dict)
    """What is felt, by name of `backend.emotions`; none is neutral."""
    effort: Effort = "plain"
    """Whether the voice whispers or shouts."""

    def shut(self) -> list[tuple[float, float]]:
        """The safest closures: everything between both estimates where they touch, else the one from the sound."""
        if not self.closures_snap:
            return list(self.closures)
        return [_joined(rule, heard) for rule, heard in zip(self.closures, self.closures_snap, strict=True)]


def read(folder: Path) -> list[Recording]:
    """All recordings of a corpus folder; raises CorpusError with file and line for a broken one."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise CorpusError(f"{folder} is no corpus: it has no {MANIFEST}.")
    return list(_lines(manifest))


def read_pairs(folder: Path) -> list[tuple[Path, Recording]]:
    """Recordings of a folder that has one NAME.json with phones and closures beside each NAME.flac or NAME.wav."""
    pairs = []
    for about in sorted(folder.glob("*.json")):
        sounds = [about.with_suffix(ending) for ending in (".flac", ".wav") if about.with_suffix(ending).is_file()]
        if sounds:
            row = json.loads(about.read_text(encoding="utf-8"))
            pairs.append((sounds[0], _recording(_UNKNOWN | {"audio": sounds[0].name} | _timed(row))))
    if not pairs:
        raise CorpusError(f"{folder} holds no NAME.json beside a NAME.flac or NAME.wav.")
    return pairs


def write_line(recording: Recording) -> str:
    """One manifest line, without the line end."""
    return json.dumps(asdict(recording), ensure_ascii=False, separators=(",", ":"))


def rounded(intervals: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Intervals in seconds as a manifest keeps them: to a tenth of a millisecond."""
    return tuple((round(start, 4), round(end, 4)) for start, end in intervals)


def _timed(row: dict) -> dict:
    return {name: row[name] for name in ("phones", "closures", "text", "source", "licence") if name in row}


def _lines(manifest: Path) -> Iterator[Recording]:
    with manifest.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield _recording(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(f"{manifest} line {number} is no recording: {error}.") from error


def _recording(row: dict) -> Recording:
    phones = tuple(Phone(str(name), float(start), float(end)) for name, start, end in row.pop("phones"))
    closures = tuple((float(start), float(end)) for start, end in row.pop("closures", closures_of(phones)))
    snap = tuple((float(start), float(end)) for start, end in row.pop("closures_snap", ()))
    if any(phone.end < phone.start for phone in phones):
        raise ValueError("a phone ends before it starts")
    return Recording(**row, phones=phones, closures=closures, closures_snap=snap)


def _joined(rule: tuple[float, float], heard: tuple[float, float]) -> tuple[float, float]:
    if rule[0] > heard[1] + 0.02 or heard[0] > rule[1] + 0.02:
        return heard
    return min(rule[0], heard[0]), max(rule[1], heard[1])
