# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation: figures of a model in training on people it does not train on, and the one number to choose a step by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from backend.audio import SAMPLE_RATE, decode, level
from backend.models.unitalker import UniTalker
from backend.training.speech.corpus import Recording

from .data import TrainingSet
from .prepare import FPS
from .score import Score


def figures_of(
    model: UniTalker, chunks: TrainingSet, watched: Sequence[tuple[Path, Recording]], sounds: np.ndarray
) -> dict[str, float]:
    """Figures on held-out people, on the watched recordings (`watch_…`), and of the mouth over sounds without speech.

    `score` is the one to choose by: closures count most, and a mouth that moves where nobody speaks costs. Where there
    are watched recordings they alone choose the step, so that no step is chosen by the held-out people.
    """
    held_out, watch = Score(), Score()
    rest = resting(model)
    for clip in chunks.held_out():
        held_out.add(motion(model, chunks.sound(clip), rest), FPS, clip.phones, clip.closures)
    for path, recording in watched:
        watch.add(motion(model, decode(path), rest), FPS, recording.phones, recording.closures)
    figures = held_out.figures()
    figures |= {f"watch_{name}": value for name, value in watch.figures().items()} if watched else {}
    figures["rest_p95"] = float(np.mean([_restlessness(motion(model, sound, rest)) for sound in sounds]))
    return figures | {"score": _score(figures)}


def motion(model: UniTalker, samples: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """float32 [frames, 52]: the motion of a recording (float32 [n] at 16 kHz), counted from rest as artists get it."""
    frames = max(round(len(samples) / SAMPLE_RATE * FPS), 1)
    audio = torch.from_numpy(level(samples).astype(np.float32))[None]
    return np.clip(model.predict(audio, "arkit", frames)[0].numpy() - rest, 0, 1)


def resting(model: UniTalker) -> np.ndarray:
    """float32 [52]: where the model leaves the face in digital silence."""
    silence = torch.zeros(1, 2 * SAMPLE_RATE)
    return model.predict(silence, "arkit", round(2 * FPS))[0].median(dim=0).values.numpy()


def _restlessness(values: np.ndarray) -> float:
    """How far the mouth is from rest, 95 % of the time."""
    return float(np.percentile(values.max(axis=1), 95))


def _score(figures: dict[str, float]) -> float:
    seen = _watched(figures) if "watch_f1" in figures else figures
    goodness = seen["f1"] + 0.3 * seen["vowel_jaw"] + 0.5 * seen["aperture"] - seen["silence_p95"]
    return goodness - figures["rest_p95"]


def _watched(figures: dict[str, float]) -> dict[str, float]:
    return {name.removeprefix("watch_"): value for name, value in figures.items() if name.startswith("watch_")}
