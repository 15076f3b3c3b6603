# SPDX-License-Identifier: GPL-3.0-or-later
"""Train: puts a run together from its config: model, set, task, and the figures that choose the best step."""

from __future__ import annotations

import json
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from backend import checkpoint
from backend.audio import decode, level
from backend.checkpoint import ModelCard
from backend.face import arkit
from backend.models.unitalker import UniTalker
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from . import corpus
from .config import TrainingConfig
from .corpus import Recording
from .data import TrainingSet
from .errors import ConfigError
from .lips import Score
from .loop import fit
from .prepare import FPS
from .sounds import bank
from .styles import STYLES
from .tasks import SpeechToLips


@dataclass(frozen=True)
class Sources:
    """What a run is given besides its config."""

    prepared: Path
    """A folder made by `prepare`."""
    watch: Path | None = None
    """Aligned recordings to choose the best step by, besides the held-out groups."""
    begin: Path | None = None
    """A model file to begin with instead of fresh weights."""


def train(config: TrainingConfig, sources: Sources, folder: Path) -> Path:
    """Runs a config in a folder, or goes on with the run that is there; returns the file with the best weights.

    Raises ConfigError, CorpusError or CheckpointError.
    """
    model = _beginning(config, sources.begin)
    chunks = TrainingSet(sources.prepared, config.data, config.augment, config.seed)
    watched = [] if sources.watch is None else corpus.read_pairs(sources.watch)
    rest = bank(14, 4.0, seed=config.seed + 1) * 0.03

    def validate(average: nn.Module) -> dict[str, float]:
        return figures_of(typing.cast("UniTalker", average), chunks, watched, rest)

    return fit(SpeechToLips(model, config.shut_weight), chunks.batch, validate, config, folder)


def _beginning(config: TrainingConfig, begin: Path | None) -> UniTalker:
    torch.manual_seed(config.seed)
    model = UniTalker(config.model)
    if begin is not None:
        known = checkpoint.load(begin).model.state_dict()
        if {name: value.shape for name, value in known.items()} != {
            name: value.shape for name, value in model.state_dict().items()
        }:
            raise ConfigError(f"{begin} is not built as the config's [model] says; begin with fresh weights.")
        model.load_state_dict(known)
    return model


def figures_of(
    model: UniTalker, chunks: TrainingSet, watched: Sequence[tuple[Path, Recording]], rest: np.ndarray
) -> dict[str, float]:
    """Figures on held-out people, on the watched recordings (`watch_…`), and the mouth over sounds without speech.

    The score to choose by: closures count most, of both sets by their number; a chattering mouth costs.
    """
    held_out, watch = Score(), Score()
    for clip in chunks.held_out():
        held_out.add(motion(model, chunks.sound(clip)), FPS, clip.phones, clip.closures)
    for path, recording in watched:
        watch.add(motion(model, decode(path)), FPS, recording.phones, recording.closures)
    figures = held_out.figures()
    figures |= {f"watch_{name}": value for name, value in watch.figures().items()} if watched else {}
    figures["rest_p95"] = float(np.mean([_restlessness(motion(model, sound)) for sound in rest]))
    return figures | {"score": _score(figures)}


def motion(model: UniTalker, samples: np.ndarray) -> np.ndarray:
    """float32 [frames, 52]: what the model does with a whole recording (float32 [n] at 16 kHz), as it would ship."""
    frames = max(round(len(samples) / 16000 * FPS), 1)
    audio = torch.from_numpy(level(samples).astype(np.float32))[None]
    return model.predict(audio, "arkit", frames)[0].clamp(0, 1).numpy()


def _restlessness(values: np.ndarray) -> float:
    """How far the mouth is from rest, 95 % of the time."""
    return float(np.percentile(np.abs(values).max(axis=1), 95))


def _score(figures: dict[str, float]) -> float:
    parts = [figures] if "watch_f1" not in figures else [figures, _watched(figures)]
    weights = [part["closures"] ** 0.5 for part in parts]
    goodness = [part["f1"] + 0.3 * part["vowel_jaw"] + 0.5 * part["aperture"] - part["silence_p95"] for part in parts]
    return float(np.average(goodness, weights=weights)) - figures["rest_p95"]


def _watched(figures: dict[str, float]) -> dict[str, float]:
    return {name.removeprefix("watch_"): value for name, value in figures.items() if name.startswith("watch_")}


def export(config: TrainingConfig, best: Path, output: Path) -> None:
    """Writes the weights of a run's best step as a model file in half precision; raises CheckpointError."""
    with safe_open(best, "pt") as file:
        about = file.metadata()
    model = UniTalker(config.model)
    model.load_state_dict(load_file(best))
    training = {
        "step": int(about["step"]),
        "seed": config.seed,
        "figures": {name: round(value, 3) for name, value in json.loads(about["figures"]).items()},
        "attribution": config.attribution,
    }
    card = ModelCard(config.name, config.title, config.licence, training)
    checkpoint.save(output, model.eval(), [arkit(FPS)], tuple(STYLES), card, half=True)
