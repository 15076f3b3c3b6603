# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate: how well a model's lips follow aligned recordings, through the pipeline that artists use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.pipeline import Request, generate, plan
from backend.training.speech import corpus
from backend.training.speech.corpus import Recording
from tqdm import tqdm

from .score import Score

COLUMNS = ("closures", "recall", "precision", "f1", "best_f1", "vowel_jaw", "aperture", "lag_ms", "silence_p95")


def evaluate(loaded: LoadedModel, folders: list[Path]) -> dict[str, dict[str, float]]:
    """Figures (`lips.Score.figures`) for every folder: a corpus, or NAME.json beside NAME.flac.

    Raises CorpusError for a folder that is neither.
    """
    return {str(folder): _score(loaded, recordings_of(folder)).figures() for folder in folders}


def recordings_of(folder: Path) -> list[tuple[Path, Recording]]:
    """Sound files with their phone times, from a manifest or from single json files."""
    if (folder / corpus.MANIFEST).is_file():
        return [(folder / recording.audio, recording) for recording in corpus.read(folder)]
    return corpus.read_pairs(folder)


def motion(loaded: LoadedModel, path: Path) -> np.ndarray:
    """float32 [frames, 52]: the ARKit weights that an artist would get for a sound file, at the model's own rate."""
    planned = plan(loaded, Request(space="arkit"))
    return np.concatenate([chunk.values for chunk in generate(loaded, decode(path), planned)])


def table(figures: dict[str, dict[str, float]]) -> str:
    """Figures as a markdown table."""
    lines = ["| recordings | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in figures.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:.3g}" for column in COLUMNS) + " |")
    return "\n".join(lines)


def as_json(figures: dict[str, dict[str, float]]) -> str:
    """Figures as JSON."""
    return json.dumps(figures, indent=2)


def _score(loaded: LoadedModel, recordings: list[tuple[Path, Recording]]) -> Score:
    score = Score()
    fps = plan(loaded, Request(space="arkit")).fps
    for path, recording in tqdm(recordings, "evaluate", unit=" recordings"):
        score.add(motion(loaded, path), fps, recording.phones, recording.closures)
    return score
