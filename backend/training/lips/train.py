# SPDX-License-Identifier: GPL-3.0-or-later
"""Train: puts a run together from its config: model, set, task, and the figures that choose the best step."""

from __future__ import annotations

import copy
import typing
from dataclasses import dataclass
from pathlib import Path

import torch
from backend import checkpoint
from backend.checkpoint import LoadedModel, ModelCard
from backend.face import arkit
from backend.models.unitalker import UniTalker
from backend.training import curves, processes
from backend.training.ahead import far_ahead
from backend.training.errors import ConfigError
from backend.training.journal import METRICS
from backend.training.loop import fit
from backend.training.run import BEST, STATE, under
from backend.training.speech import corpus
from backend.training.speech.sounds import bank
from backend.training.task import Piece
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from .config import TrainingConfig
from .data import Batch, TrainingSet
from .prepare import FPS
from .styles import STYLES
from .task import SpeechToLips
from .validation import figures_of

_IDENTITIES = "decoder.identities.weight"
_EDGES = "encoder.formants.edges.weight"


@dataclass(frozen=True)
class Sources:
    """What a run is given besides its config."""

    prepared: Path
    """A folder made by `prepare`."""
    watch: Path | None = None
    """Aligned recordings to choose the best step by, besides the held-out groups."""
    begin: Path | None = None
    """A model file to begin with instead of fresh weights."""


def train(
    config: TrainingConfig, sources: Sources, folder: Path, *, device: str = "cpu", tensorboard: bool = False
) -> Path:
    """Runs a config in a folder, or goes on with the run that is there; returns the file with the best weights.

    Raises ConfigError, CorpusError or CheckpointError.
    """
    model = _beginning(config, sources.begin).to(device)
    chunks = TrainingSet(sources.prepared, config.data, config.augment, config.seed)
    watched = [] if sources.watch is None else corpus.read_pairs(sources.watch)
    rest = bank(14, 4.0, seed=config.seed + 1) * 0.03

    collected = config.optimizer.accumulate
    share = 1 / (processes.count() * collected)

    def pieces_of(step: int) -> list[Piece[Batch]]:
        return [Piece(chunks.batch(step, piece), share) for piece in processes.own_pieces(collected)]

    def validate(average: nn.Module) -> dict[str, float]:
        on_cpu = typing.cast("UniTalker", copy.deepcopy(average).cpu())
        return figures_of(on_cpu, chunks, watched, rest)

    task = SpeechToLips(model, config.shut_weight, config.importance, config.learn)
    return fit(task, far_ahead(pieces_of), validate, config, folder, tensorboard=tensorboard)


def _beginning(config: TrainingConfig, begin: Path | None) -> UniTalker:
    if config.learn == "decoder" and begin is None:
        raise ConfigError(
            'learn = "decoder" keeps the encoder of the model that a run begins with; name that by --from.'
        )
    torch.manual_seed(config.seed)
    model = UniTalker(config.model)
    if begin is not None:
        known = _with_our_spectra(_with_our_styles(checkpoint.load(begin), model), model)
        if {name: value.shape for name, value in known.items()} != {
            name: value.shape for name, value in model.state_dict().items()
        }:
            raise ConfigError(f"{begin} is not built as the config's [model] says; begin with fresh weights.")
        model.load_state_dict(known)
    return model


def _with_our_styles(begin: LoadedModel, fresh: UniTalker) -> dict[str, Tensor]:
    """A model's weights with an identity row for each style, found by name.

    A style new to it has the row of the `fresh` model: were it the pivot's, the two would hardly ever part.
    """
    weights = begin.model.state_dict()
    rows = weights.get(_IDENTITIES)
    if rows is not None and len(rows) == len(begin.identities) + 1:
        known = dict(zip(begin.identities, rows, strict=False))
        new = dict(zip(STYLES, fresh.state_dict()[_IDENTITIES], strict=False))
        weights[_IDENTITIES] = torch.stack([*(known.get(name, new[name]) for name in STYLES), rows[-1]])
    return weights


def _with_our_spectra(known: dict[str, Tensor], fresh: UniTalker) -> dict[str, Tensor]:
    """Weights whose filters see as many pictures of a sound as the `fresh` ones; new ones change nothing at first."""
    filters, wanted = known.get(_EDGES), fresh.state_dict().get(_EDGES)
    if filters is None or wanted is None or filters.shape[1] >= wanted.shape[1]:
        return known
    more = filters.new_zeros(len(filters), wanted.shape[1] - filters.shape[1], *filters.shape[2:])
    return known | {_EDGES: torch.cat((filters, more), dim=1)}


def export(config: TrainingConfig, folder: Path, output: Path, *, last: bool = False) -> None:
    """Writes the weights of a run's best step, or of its last one, as a model file in half precision.

    Raises CheckpointError.
    """
    file = folder / (STATE if last else BEST)
    weights = under(load_file(file), "average.") if last else load_file(file)
    with safe_open(file, "pt") as opened:
        step = int(opened.metadata()["step"])
    figures = next(row["figures"] for row in curves.read(folder / METRICS) if row["step"] == step)
    model = UniTalker(config.model)
    model.load_state_dict(weights)
    training = {
        "step": step,
        "seed": config.seed,
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "attribution": config.attribution,
    }
    card = ModelCard(config.name, config.title, config.licence, training)
    checkpoint.save(output, model.eval(), [arkit(FPS)], tuple(STYLES), card, half=True)
