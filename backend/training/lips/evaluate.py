# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate: how well a model's lips follow aligned recordings, through the pipeline that artists use."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.pipeline import generate
from backend.planning import Request, plan
from backend.training.speech import corpus, effort
from backend.training.speech.corpus import Recording
from tqdm import tqdm

from . import resting
from .prepare import FPS, arrays_of
from .resting import REST, Figures
from .rules import to_arkit
from .score import Score

COLUMNS = (
    *("closures", "recall", "precision", "f1", "best_f1", "vowel_jaw", "aperture", "lag_ms", "silence_p95", "curves"),
)
FIELDS = ("language", "speaker", "source", "effort")
"""Fields of a manifest that recordings can be told apart by."""
_RULES = "the rules themselves"

Pairs = list[tuple[Path, Recording]]
Change = Callable[[np.ndarray], np.ndarray]
"""Samples float32 [n] at 16 kHz to as many others."""


@dataclass(frozen=True)
class Wanted:
    """What an evaluation looks at."""

    folders: tuple[Path, ...]
    """Corpora, or folders of NAME.json beside NAME.flac."""
    only: str = ""
    """A source or a speaker: of a corpus that has recordings from it, the others are left out."""
    by: tuple[str, ...] = ()
    """Some of `FIELDS`: a further row for each of their values, or for each combination of them."""
    without: tuple[str, ...] = ()
    """Sources: a further row for each, with all recordings of a folder but those from it."""
    rules: bool = False
    """A further row for each folder with the motion by the rules for the true phones: what is there to be learned."""
    noise: tuple[float, ...] = ()
    """Decibels: a further row for each folder with white noise so far below the voice."""
    effort: bool = False
    """Two further rows for each folder: the same recordings whispered and shouted."""
    sounds: bool = False
    """A further table of sounds without speech, made here."""
    recorded: tuple[Path, ...] = ()
    """Recordings without speech, and folders of them: a row for each in that table."""


def evaluate(loaded: LoadedModel, wanted: Wanted) -> Figures:
    """Figures (`lips.Score.figures`) by row; `REST` alone for sounds without speech.

    Raises CorpusError for a folder that holds no recordings, and AudioError for a sound that cannot be read.
    """
    figures: Figures = {}
    for folder in wanted.folders:
        scores = _scored(loaded, recordings_of(folder, wanted.only), wanted)
        figures |= {", ".join(filter(None, (str(folder), name))): score.figures() for name, score in scores.items()}
    move = partial(motion, loaded)
    return figures | (resting.over_made(move) if wanted.sounds else {}) | resting.over_recorded(move, wanted.recorded)


def recordings_of(folder: Path, only: str = "") -> Pairs:
    """Sound files with their phone times, from a manifest or from single json files.

    Where some recordings of a manifest are from the source or the speaker `only`, these alone.
    """
    if not (folder / corpus.MANIFEST).is_file():
        return corpus.read_pairs(folder)
    recordings = corpus.read(folder)
    chosen = [recording for recording in recordings if only and only in (recording.source, recording.speaker)]
    return [(folder / recording.audio, recording) for recording in chosen or recordings]


def motion(loaded: LoadedModel, sound: Path | np.ndarray) -> np.ndarray:
    """float32 [frames, 52]: the ARKit weights that an artist would get for a sound, at the rate of the rules (`FPS`).

    `sound` is a file, or samples float32 [n] at 16 kHz.
    """
    samples = decode(sound) if isinstance(sound, Path) else sound
    planned = plan(loaded, Request(space="arkit", fps=FPS))
    return np.concatenate([chunk.values for chunk in generate(loaded, samples, planned)])


def noisy(samples: np.ndarray, decibels: float) -> np.ndarray:
    """float32 [n] with white noise at a signal-to-noise ratio over the whole recording; the same noise every time."""
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples))
    scale = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10 ** (-decibels / 20)
    return (samples + scale * noise).astype(np.float32)


def table(figures: Figures) -> str:
    """Figures as one or two markdown tables."""
    spoken = {name: row for name, row in figures.items() if REST not in row}
    unspoken = {name: row for name, row in figures.items() if REST in row}
    lines = ["| recordings | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"] if spoken else []
    for name, row in spoken.items():
        lines.append(
            f"| {name} | {row['closures']:.0f} | " + " | ".join(f"{row[key]:.3g}" for key in COLUMNS[1:]) + " |"
        )
    between = [""] if spoken and unspoken else []
    return "\n".join(lines + between + (resting.table(unspoken) if unspoken else []))


def as_json(figures: Figures) -> str:
    """Figures as JSON."""
    return json.dumps(figures, indent=2)


def _scored(loaded: LoadedModel, pairs: Pairs, wanted: Wanted) -> dict[str, Score]:
    """The scores of one folder by what their row shows; the first, of all recordings as they are, has no name."""
    parts = _parts([recording for _, recording in pairs], wanted)
    changes = _changes(wanted)
    scores = {name: Score() for name in ("", *parts, *((_RULES,) if wanted.rules else ()), *changes)}
    for index, (path, recording) in enumerate(tqdm(pairs, "evaluate", unit=" recordings")):
        samples = decode(path)
        target = to_arkit(arrays_of(recording, samples)["curves"].astype(np.float32))
        moved = {"": motion(loaded, samples), _RULES: target}
        moved |= {name: moved[""] for name, members in parts.items() if index in members}
        moved |= {name: motion(loaded, change(samples)) for name, change in changes.items()}
        for name in moved.keys() & scores.keys():
            scores[name].add(moved[name], FPS, recording.phones, recording.closures, target)
    return scores


def _parts(recordings: Sequence[Recording], wanted: Wanted) -> dict[str, set[int]]:
    """Which recordings a row of its own has: those alike in the fields that differ, and all but those of a source."""
    fields = [field for field in wanted.by if len({getattr(one, field) for one in recordings}) > 1]
    names = [", ".join(f"{field} {getattr(one, field) or 'unknown'}" for field in fields) for one in recordings]
    parts = {name: {index for index, own in enumerate(names) if own == name} for name in sorted({*names} - {""})}
    for source in wanted.without:
        others = {index for index, one in enumerate(recordings) if one.source != source}
        if 0 < len(others) < len(recordings):
            parts[f"without {source}"] = others
    return parts


def _changes(wanted: Wanted) -> dict[str, Change]:
    """What is done to the voices in further rows, by name; the motion by the rules stays that of the voice as it is."""
    changes: dict[str, Change] = {f"noise at {level:g} dB": partial(noisy, decibels=level) for level in wanted.noise}
    if wanted.effort:
        changes |= {"whispered": _drawn(effort.whispered), "shouted": _drawn(effort.shouted)}
    return changes


def _drawn(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Change:
    """A change with chance in it that is the same for the same recording every time."""
    return lambda samples: change(samples, np.random.default_rng(len(samples)))
