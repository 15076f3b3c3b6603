# SPDX-License-Identifier: GPL-3.0-or-later
"""Train on annotated motion: a run put together from its config, data sets and perhaps a model to begin with."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from backend import checkpoint
from backend.checkpoint import LoadedModel, ModelCard
from backend.face import FaceSpace
from backend.models.unitalker import UniTalker
from backend.settings import to_plain
from backend.training import processes
from backend.training.ahead import ahead
from backend.training.loop import fit
from backend.training.task import Piece
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from . import face_evaluation, motion_model
from .batches import MotionBatches
from .config import MotionConfig, MotionRun
from .contents import of_file, of_tensors
from .losses import face_points
from .meshes import MeshFiles
from .motion_model import Beginning
from .motion_set import MANIFEST, MotionSet
from .regression import MotionBatch, Regression


@dataclass(frozen=True, eq=False)
class Sources:
    """What a run is given besides its config."""

    sets: Sequence[MotionSet]
    begin: LoadedModel | None = None
    """A model to begin with instead of fresh weights."""
    new_decoder: bool = False
    """Of the model to begin with, keep the encoder only."""
    meshes: MeshFiles = field(default_factory=MeshFiles)
    """Files of the faces that numbers move, where losses are to look at vertices."""


def train(
    config: MotionConfig,
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
    start = motion_model.build(config, sources.sets, sources.begin, new_decoder=sources.new_decoder)
    rows = {name: row for row, name in enumerate(start.identities)}
    collected = config.schedule.accumulate
    batches = MotionBatches(sources.sets, rows, config.sampling, config.seed, processes.count() * collected)
    run = plan_of(config, sources, start, batches.steps_per_epoch)
    spaces = sources.meshes.on(start.spaces, device)
    task = Regression(start.model.to(device), spaces, run.learn, run.decoder_steps)

    def pieces_of(step: int) -> list[Piece[MotionBatch]]:
        return batches.pieces(step, processes.own_pieces(collected))

    def validate(average: nn.Module) -> dict[str, float]:
        return figures_of(typing.cast("UniTalker", average), spaces, start.identities, sources.sets)

    best = fit(task, ahead(pieces_of), validate, run, folder, tensorboard=tensorboard)
    if output is not None and processes.is_first():
        _export(config, run, start, best, output)
    return best


def figures_of(
    model: UniTalker, spaces: Mapping[str, FaceSpace], identities: Sequence[str], sets: Sequence[MotionSet]
) -> dict[str, float]:
    """How much of the motion in each data set's validation clips a model leaves unexplained (1: as a still face).

    Sets that are too small for validation are judged by their training clips. `score` is minus the mean over sets, so
    that metres and weights count the same.
    """
    unexplained = {
        prepared.name: _unexplained(model, spaces[prepared.space.name], identities, prepared) for prepared in sets
    }
    mean = sum(unexplained.values()) / len(unexplained)
    return {**{f"{name} unexplained": share for name, share in unexplained.items()}, "score": -mean}


@torch.no_grad()
def _unexplained(model: UniTalker, space: FaceSpace, identities: Sequence[str], prepared: MotionSet) -> float:
    predict, device = face_evaluation.predictor(model, space), next(model.parameters()).device
    split = "val" if prepared.split("val") else "train"
    missed = moved = 0.0
    for clip, identity, _ in face_evaluation.items(prepared, split, identities):
        said, truth, still = (
            face_points(space, values.to(device))
            for values in (predict(clip, identity), torch.from_numpy(clip.motion), torch.from_numpy(clip.template))
        )
        missed += (said - truth).square().mean().item()
        moved += (truth - still).square().mean().item()
    return missed / max(moved, 1e-12)


def plan_of(config: MotionConfig, sources: Sources, start: Beginning, steps: int) -> MotionRun:
    """The run of a config on its sources, with so many steps to an epoch."""
    return MotionRun(
        name=config.name,
        model=start.model.config,
        begin=_beginning(config, sources, start),
        data={prepared.name: len(prepared.split("train")) for prepared in sources.sets},
        manifests={prepared.name: of_file(prepared.folder / MANIFEST) for prepared in sources.sets},
        meshes={space: of_file(path) for space, path in sources.meshes.meshes.items()},
        faces={space: of_file(path) for space, path in sources.meshes.faces.items()},
        sampling=config.sampling,
        losses=to_plain(config.losses),
        learn=config.learn,
        decoder_steps=config.schedule.decoder_epochs * steps,
        optimizer=config.schedule.in_steps(steps),
        seed=config.seed,
    )


def _beginning(config: MotionConfig, sources: Sources, start: Beginning) -> str:
    if sources.begin is not None:
        return f"{sources.begin.info.name} {of_tensors(sources.begin.model)}"
    return f"{Path(config.pretrained).name} {of_tensors(start.model.encoder)}" if config.pretrained else ""


def _export(config: MotionConfig, run: MotionRun, start: Beginning, best: Path, output: Path) -> None:
    """Writes the weights of the best step as a model file in half precision."""
    with safe_open(best, "pt") as file:
        about = file.metadata()
    start.model.cpu().load_state_dict(load_file(best))
    training = {
        "step": int(about["step"]),
        "seed": run.seed,
        "begin": run.begin,
        "clips": run.data,
        "figures": {name: round(value, 4) for name, value in json.loads(about["figures"]).items()},
        "attribution": config.attribution,
    }
    card = ModelCard(config.name, config.title, config.licence, training)
    spaces = list(start.spaces.values())
    checkpoint.save(output, start.model.eval(), spaces, start.identities, card, half=True)
