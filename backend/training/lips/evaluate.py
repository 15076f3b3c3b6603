# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate: how well a model's lips follow aligned recordings, through the pipeline that artists use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from backend.audio import SAMPLE_RATE, decode
from backend.checkpoint import LoadedModel
from backend.face import ARKIT_CHANNELS
from backend.pipeline import generate
from backend.planning import Request, plan
from backend.training.speech import corpus, sounds
from backend.training.speech.corpus import Recording
from tqdm import tqdm

from .prepare import FPS, arrays_of
from .rules import to_arkit
from .score import Score

COLUMNS = (
    *("closures", "recall", "precision", "f1", "best_f1", "vowel_jaw", "aperture", "lag_ms", "silence_p95", "curves"),
)
REST = "mouth_from_rest"
"""Figure of sounds without speech: how far the mouth is from rest, 95 % of the time."""
_SOUND_SECONDS = 15
_SOUND_LEVEL = 0.05
_SILENCE_SECONDS = 60
_MOUTH = [index for index, name in enumerate(ARKIT_CHANNELS) if name.startswith(("mouth", "jaw", "tongue"))]

Pairs = list[tuple[Path, Recording]]
Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Wanted:
    """What an evaluation looks at."""

    folders: tuple[Path, ...]
    """Corpora, or folders of NAME.json beside NAME.flac."""
    only: str = ""
    """A source: of a corpus that has recordings from it, the others are left out."""
    by: str = ""
    """A field of the manifest (language, speaker, source): a further row for each value of it; empty for none."""
    noise: tuple[float, ...] = ()
    """Decibels: a further row for each folder with white noise so far below the voice."""
    sounds: bool = False
    """A further table of sounds without speech."""


def evaluate(loaded: LoadedModel, wanted: Wanted) -> Figures:
    """Figures (`lips.Score.figures`) by row; `REST` alone for sounds without speech.

    Raises CorpusError for a folder that holds no recordings.
    """
    figures: Figures = {}
    for folder in wanted.folders:
        pairs = recordings_of(folder, wanted.only)
        figures[str(folder)] = _scored(loaded, pairs)
        for value, part in _split(pairs, wanted.by):
            figures[f"{folder}, {wanted.by} {value or 'unknown'}"] = _scored(loaded, part)
        for decibels in wanted.noise:
            figures[f"{folder}, noise at {decibels:g} dB"] = _scored(loaded, pairs, decibels)
    return figures | (_resting(loaded) if wanted.sounds else {})


def recordings_of(folder: Path, only: str = "") -> Pairs:
    """Sound files with their phone times, from a manifest or from single json files."""
    if not (folder / corpus.MANIFEST).is_file():
        return corpus.read_pairs(folder)
    recordings = corpus.read(folder)
    chosen = [recording for recording in recordings if recording.source == only] or recordings
    return [(folder / recording.audio, recording) for recording in chosen]


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
    lines = ["| recordings | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    spoken = {name: row for name, row in figures.items() if REST not in row}
    for name, row in spoken.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:.3g}" for column in COLUMNS) + " |")
    if len(spoken) < len(figures):
        lines += ["", f"| sounds without speech | {REST} |", "|---|---|"]
        lines += [f"| {name} | {row[REST]:.3f} |" for name, row in figures.items() if REST in row]
    return "\n".join(lines)


def as_json(figures: Figures) -> str:
    """Figures as JSON."""
    return json.dumps(figures, indent=2)


def _scored(loaded: LoadedModel, pairs: Pairs, decibels: float | None = None) -> dict[str, float]:
    score = Score()
    for path, recording in tqdm(pairs, "evaluate", unit=" recordings"):
        samples = decode(path)
        target = to_arkit(arrays_of(recording, samples)["curves"].astype(np.float32))
        heard = samples if decibels is None else noisy(samples, decibels)
        score.add(motion(loaded, heard), FPS, recording.phones, recording.closures, target)
    return score.figures()


def _split(pairs: Pairs, by: str) -> Iterator[tuple[str, Pairs]]:
    """The recordings of each value of a field, where there is more than one."""
    values = sorted({getattr(recording, by) for _, recording in pairs}) if by else []
    for value in values if len(values) > 1 else []:
        yield value, [(path, recording) for path, recording in pairs if getattr(recording, by) == value]


def _resting(loaded: LoadedModel) -> Figures:
    random = np.random.default_rng(11)
    length = _SOUND_SECONDS * SAMPLE_RATE
    made = {maker.__name__.replace("_", " "): maker(random, length) for maker in sounds.MAKERS}
    made["white noise"] = random.standard_normal(length)
    levelled = {name: _SOUND_LEVEL * sound / np.sqrt(np.mean(sound**2)) for name, sound in made.items()}
    levelled[f"{_SILENCE_SECONDS} s of silence"] = np.zeros(_SILENCE_SECONDS * SAMPLE_RATE)
    return {name: {REST: _from_rest(motion(loaded, sound.astype(np.float32)))} for name, sound in levelled.items()}


def _from_rest(values: np.ndarray) -> float:
    return float(np.percentile(values[:, _MOUTH].max(axis=1), 95))
