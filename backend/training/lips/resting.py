# SPDX-License-Identifier: GPL-3.0-or-later
"""Resting: how still a mouth keeps over sounds without speech, made here or recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from backend.audio import SAMPLE_RATE
from backend.face import ARKIT_CHANNELS
from backend.training.errors import CorpusError
from backend.training.speech import sounds
from tqdm import tqdm

REST = "mouth_from_rest"
"""Figure of sounds without speech: how far the mouth is from rest, 95 % of the time."""
_SECONDS = 15
_LEVEL = 0.05
_SILENCE_SECONDS = 60
_ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
_MOUTH = [index for index, name in enumerate(ARKIT_CHANNELS) if name.startswith(("mouth", "jaw", "tongue"))]

Move = Callable[[Path | np.ndarray], np.ndarray]
"""ARKit weights float32 [frames, 52] for a sound file, or for samples float32 [n] at 16 kHz."""
Figures = dict[str, dict[str, float]]


def over_made(move: Move) -> Figures:
    """`REST` over one sound of every kind that training draws from (another draw), white noise, and silence."""
    return {name: {REST: _from_rest([move(sound)])} for name, sound in _made()}


def over_recorded(move: Move, paths: Sequence[Path]) -> Figures:
    """`REST` over each sound file, and over each folder with all sounds that lie anywhere in it.

    Raises CorpusError for a path without any sound, and AudioError for a sound that cannot be read.
    """
    found = {str(path): _sounds_in(path) for path in paths}
    rows = tqdm(found.items(), "rest", unit=" rows", disable=not found)
    return {name: {REST: _from_rest([move(file) for file in files])} for name, files in rows}


def table(figures: Figures) -> list[str]:
    """Lines of a markdown table."""
    head = [f"| sounds without speech | {REST} |", "|---|---|"]
    return head + [f"| {name} | {row[REST]:.3f} |" for name, row in figures.items()]


def _made() -> Iterator[tuple[str, np.ndarray]]:
    """Sounds by name, float32 [n] at 16 kHz; the same every time."""
    random = np.random.default_rng(11)
    length = _SECONDS * SAMPLE_RATE
    made = {maker.__name__.replace("_", " "): maker(random, length) for maker in sounds.MAKERS}
    made["white noise"] = random.standard_normal(length)
    for name, sound in made.items():
        yield name, (_LEVEL * sound / np.sqrt(np.mean(sound**2))).astype(np.float32)
    yield f"{_SILENCE_SECONDS} s of silence", np.zeros(_SILENCE_SECONDS * SAMPLE_RATE, np.float32)


def _sounds_in(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS)
    if not found:
        raise CorpusError(f"{path} holds no sound file ({', '.join(_ENDINGS)}).")
    return found


def _from_rest(motions: Sequence[np.ndarray]) -> float:
    """95th percentile, over the frames of some motions, of the channel that is farthest from rest."""
    return float(np.percentile(np.concatenate([values[:, _MOUTH].max(axis=1) for values in motions]), 95))
