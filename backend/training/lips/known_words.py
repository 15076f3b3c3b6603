# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate known words: lips with and without the right transcript, and whether wrong transcripts are noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from backend import alignment, closures, hearing, phone_track
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.face import ARKIT_CHANNELS
from backend.phonetics import words
from backend.phonetics.pronunciation import ENGLISH, Pronunciation
from backend.pipeline import generate
from backend.planning import Request, plan
from backend.training.errors import CorpusError
from backend.training.speech.corpus import Recording
from tqdm import tqdm

from .evaluate import COLUMNS, Figures, Pairs, recordings_of
from .score import Score

OTHERS = 3
"""Wrong transcripts that each recording is tried with: those of the next recordings of its language."""
RIGHT, WRONG = "right_followed", "wrong_followed"
"""Share of right and of wrong transcripts that were believed."""
_COLUMNS = (*COLUMNS[:5], RIGHT, WRONG)


@dataclass(frozen=True, eq=False)
class _Known:
    """A recording, how its words are said, and what the model makes of it by itself."""

    recording: Recording
    text: str
    spoken: Pronunciation
    heard: np.ndarray
    motion: np.ndarray
    fps: float


def evaluate(loaded: LoadedModel, folders: Sequence[Path], transcripts: Path | None, only: str = "") -> Figures:
    """Two rows for each folder, without and with the transcripts: closure figures and the two shares.

    The text of a recording is that of its manifest, or NAME.txt in `transcripts` or beside the sound; recordings
    without one are left out. Raises CorpusError where no recording has a text.
    """
    figures: Figures = {}
    for folder in folders:
        figures |= _rows(folder.name, _known(loaded, recordings_of(folder, only), transcripts or folder))
    return figures


def table(figures: Figures) -> str:
    """Figures as a markdown table."""
    lines = ["| recordings | " + " | ".join(_COLUMNS) + " |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for name, row in figures.items():
        cells = (f"{row[column]:.3g}" if column in row else "" for column in _COLUMNS)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _known(loaded: LoadedModel, pairs: Pairs, transcripts: Path) -> list[_Known]:
    planned = plan(loaded, Request(space="arkit"))
    found: list[_Known] = []
    for path, recording in tqdm(pairs, "listen", unit=" recordings"):
        text = recording.text or _text(transcripts / f"{path.stem}.txt")
        if not text:
            continue
        samples = decode(path)
        spoken = words.pronounce(text, recording.language or ENGLISH)
        motion = np.concatenate([chunk.values for chunk in generate(loaded, samples, planned)])
        heard = hearing.listen(loaded, samples).phones
        found.append(_Known(recording, text, spoken, heard, motion, planned.fps))
    if not found:
        raise CorpusError(f"No recording has a transcript: no manifest holds a text, and {transcripts} no NAME.txt.")
    return found


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _rows(name: str, known: Sequence[_Known]) -> Figures:
    alone, following = Score(), Score()
    right, wrong = [], []
    for index, one in enumerate(tqdm(known, "align", unit=" recordings")):
        phones, closed = one.recording.phones, one.recording.closures
        freely = alignment.decode(one.heard)
        track = phone_track.aligned(one.heard, one.spoken, freely)
        right.append(track is not None)
        others = (other.spoken for other in _others(known, index))
        wrong += [phone_track.aligned(one.heard, other, freely) is not None for other in others]
        alone.add(one.motion, one.fps, phones, closed)
        following.add(one.motion if track is None else _followed(one, track), one.fps, phones, closed)
    shares = {RIGHT: float(np.mean(right)), WRONG: float(np.mean(wrong)) if wrong else 0.0}
    return {name: alone.figures(), f"{name}, words known": following.figures() | shares}


def _followed(one: _Known, track: Sequence[phone_track.TimedPhone]) -> np.ndarray:
    return closures.follow(one.motion, ARKIT_CHANNELS, phone_track.lips(track), 0, one.fps)


def _others(known: Sequence[_Known], index: int) -> list[_Known]:
    """The next recordings of the same language with another text, from the start again behind the last one."""
    one = known[index]
    behind = [*known[index + 1 :], *known[:index]]
    fitting = [other for other in behind if other.recording.language == one.recording.language]
    return [other for other in fitting if other.text != one.text][:OTHERS]
