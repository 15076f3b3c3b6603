# SPDX-License-Identifier: GPL-3.0-or-later
"""Train a teacher: a run put together from its config and data sets."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from backend.checkpoint import LoadedModel, ModelCard
from backend.models import diffusion
from backend.models.diffusion_talker import DiffusionTalker
from backend.training import processes
from backend.training.ahead import ahead
from backend.training.loop import fit
from backend.training.motion.contents import of_file, of_tensors
from backend.training.motion.motion_set import MANIFEST, MotionSet
from backend.training.motion.regression import MotionBatch
from backend.training.task import Parts, Piece
from safetensors import safe_open
from torch import nn

from . import talker_model
from .chunks import Chunks, Labels, TalkerBatch
from .config import DiffusionConfig, DiffusionRun, StudentConfig, TalkerConfig
from .heard import Heard
from .losses import motion
from .talker_model import Talker
from .task import Choices, Diffusion, tell

VALIDATED = 4
"""Batches of validation clips that a model is judged by."""
_TIMES = 8


@dataclass(frozen=True, eq=False)
class Sources:
    """What a run is given besides its config."""

    sets: Sequence[MotionSet]
    begin: LoadedModel | None = None
    """A model whose encoder listens."""


def train(
    config: DiffusionConfig,
    sources: Sources,
    folder: Path,
    output: Path | None = None,
    *,
    device: str = "cpu",
    tensorboard: bool = False,
) -> Path:
    """Runs a config in a folder, or goes on with the run that is there; returns the file with the best weights.

    With `output`, these are also written as a model file. Raises ConfigError, CorpusError or CheckpointError.
    """
    talker = talker_model.teacher(config, sources.sets, sources.begin)
    began = "" if sources.begin is None else f"{sources.begin.info.name} {of_tensors(sources.begin.model)}"
    run = DiffusionRun(
        config.name,
        talker.model.config,
        began,
        fingerprints(sources.sets),
        config.sampling,
        config.losses,
        config.optimizer,
        config.seed,
    )
    talker.model.to(device)
    task = Diffusion(talker.model, talker.rates, config.sampling, parts_of(config.model))
    judge = judged_by(sources.sets, talker, config)
    pieces = pieces_of(chunks_of(sources.sets, talker, config), config.optimizer.accumulate)
    best = fit(task, pieces, judge, run, folder, tensorboard=tensorboard)
    if output is not None and processes.is_first():
        talker.with_weights(best).save(output, card(config, config.name, config.title, best))
    return best


def chunks_of(sets: Sequence[MotionSet], talker: Talker, config: DiffusionConfig) -> Chunks:
    """The training chunks of data sets."""
    return Chunks(sets, labels_of(talker), config.sampling, config.augment, config.seed, heard=heard_by(talker, config))


def labels_of(talker: Talker) -> Labels:
    """What the rows of a model's tables mean."""
    return Labels({name: row for row, name in enumerate(talker.identities)}, talker.model.config.emotions)


def heard_by(talker: Talker, config: DiffusionConfig) -> Heard | None:
    """What is heard in clips, once and for all, where no model of the chain ever hears otherwise."""
    student = config.distillation.student
    is_kept = config.model.does_listen_alike and (student is None or student.encoder is None)
    return Heard(talker.model) if is_kept else None


def parts_of(model: TalkerConfig | StudentConfig) -> Parts:
    """What learns: all but an encoder that stays as it is."""
    return "decoder" if model.does_listen_alike else "all"


def pieces_of(chunks: Chunks, collected: int) -> Callable[[int], list[Piece[TalkerBatch]]]:
    """What this process learns in each step: batches of its own, `collected` at a time."""
    count = processes.count() * collected

    def pieces(step: int) -> list[Piece[TalkerBatch]]:
        return [Piece(chunks.batch(step * count + number), 1 / count) for number in processes.own_pieces(collected)]

    return ahead(pieces)


def judged_by(
    sets: Sequence[MotionSet], talker: Talker, config: DiffusionConfig
) -> Callable[[nn.Module], dict[str, float]]:
    """Judges a model by how much of noisy motion in validation clips it cannot explain, over all amounts of noise.

    Data sets that are too small for validation are judged by their training clips. `score` is minus the mean.
    """
    batches = validation_batches(sets, talker, config)

    def validate(average: nn.Module) -> dict[str, float]:
        model = typing.cast("DiffusionTalker", average)
        device = next(model.parameters()).device
        found = [unexplained(model, batch.to(device), talker.rates) for batch in batches]
        mean = sum(found) / len(found)
        return {"unexplained": mean, "score": -mean}

    return validate


def validation_batches(sets: Sequence[MotionSet], talker: Talker, config: DiffusionConfig) -> list[TalkerBatch]:
    """The same chunks of validation clips for every model of a chain."""
    heard = heard_by(talker, config)
    chunks = Chunks(sets, labels_of(talker), config.sampling, None, config.seed, heard=heard, validation=True)
    return [chunks.batch(number) for number in range(VALIDATED)]


@torch.no_grad()
def unexplained(model: DiffusionTalker, batch: MotionBatch, rates: Mapping[str, float]) -> float:
    """Squared error of what a model takes noisy motion to be, over the motion's own square; mean over noise levels."""
    nobody = torch.zeros(len(batch.identity), dtype=torch.bool, device=batch.values.device)
    told = tell(model, batch, rates[batch.space], Choices(batch.identity, nobody, nobody))
    x, frames = model.head(batch.space).encode(batch.values, batch.template), batch.lengths.frames
    eps = diffusion.noise_field(0, 0, x.shape[1], x.shape[2]).to(x)
    missed = 0.0
    for number in range(1, _TIMES + 1):
        time = torch.full((len(x),), number * model.config.times // _TIMES, device=x.device)
        z = diffusion.noisy(x, eps.expand_as(x), diffusion.level_at(model.levels, time))
        found = model.denoise(batch.space, z, time, told.condition, frames)
        missed += motion(model.decide(batch.space, found, told.condition, counts=frames), x, frames).item() / _TIMES
    return missed / max(motion(torch.zeros_like(x), x, frames).item(), 1e-12)


def fingerprints(sets: Sequence[MotionSet]) -> dict[str, str]:
    """What tells data sets from others, by name."""
    return {prepared.name: of_file(prepared.folder / MANIFEST) for prepared in sets}


def card(config: DiffusionConfig, name: str, title: str, best: Path) -> ModelCard:
    """What a model file says about the weights of a run's best step."""
    with safe_open(best, "pt") as file:
        about = file.metadata()
    figures = {name: round(value, 4) for name, value in json.loads(about["figures"]).items()}
    training = {"step": int(about["step"]), "seed": config.seed, "figures": figures, "attribution": config.attribution}
    return ModelCard(name, title, config.licence, training)
