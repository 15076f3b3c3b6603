# SPDX-License-Identifier: GPL-3.0-or-later
"""Progressive distillation: a chain of students, each of which takes half the steps of the one before.

Every stage has a folder of its own in the run and goes on where it stopped; the finished ones are not repeated.
"""

from __future__ import annotations

import json
import shutil
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from backend.models import diffusion
from backend.models.diffusion_talker import DiffusionTalker
from backend.settings import to_plain
from backend.training import processes
from backend.training.errors import ConfigError
from backend.training.loop import fit
from backend.training.motion.contents import of_tensors
from backend.training.motion.motion_set import MotionSet
from backend.training.motion.regression import MotionBatch
from torch import nn

from . import stages, talker_model
from .config import DiffusionConfig, DiffusionRun
from .losses import motion
from .stages import Row
from .talker_model import Talker
from .task import Choices, Distillation, lesson_times, tell
from .train import card, chunks_of, fingerprints, parts_of, pieces_of, validation_batches

TABLE = "stages.json"
_LESSONS = 8
_JUDGED, _MEASURED = 2, 4
"""Validation batches that students are chosen by, and chunks of the first that the table of stages is made of."""


def distill(
    config: DiffusionConfig,
    first: Talker,
    sets: Sequence[MotionSet],
    folder: Path,
    output: Path | None = None,
    *,
    device: str = "cpu",
) -> list[Row]:
    """Halves the steps of a teacher again and again; gives the figures of every stage beside the teacher's.

    Every student is written to the run's folder as NAME-STEPS.safetensors, and the last one to `output`. Raises
    ConfigError, CorpusError or CheckpointError.
    """
    chain = halvings(first.model.config.steps, first.model.config.times, config.distillation.last)
    batches = validation_batches(sets, first, config)[:_JUDGED]
    yardstick = stages.Yardstick(first, batches[0].first(_MEASURED).to(torch.device(device)))
    rows, taught = [yardstick.teacher], first
    for steps in chain:
        taught = _stage(config, taught, sets, folder, steps, batches, device)
        rows.append(yardstick.row(taught))
        if processes.is_first():
            (folder / TABLE).write_text(json.dumps(to_plain(rows), indent=2) + "\n", encoding="utf-8")
    if output is not None and processes.is_first():
        shutil.copyfile(_file(config, folder, chain[-1]), output)
    return rows


def halvings(steps: int, times: int, last: int) -> list[int]:
    """The steps of every student. ConfigError where halving does not lead from the teacher to the last one."""
    chain, left = [], steps
    while left > last and left % 2 == 0:
        left //= 2
        chain.append(left)
    if not chain or left != last or times % steps:
        raise ConfigError(
            f"Halving the teacher's {steps} steps does not lead to {last}; change distillation.last, or model.times."
        )
    return chain


def _stage(
    config: DiffusionConfig,
    taught: Talker,
    sets: Sequence[MotionSet],
    folder: Path,
    steps: int,
    batches: Sequence[MotionBatch],
    device: str,
) -> Talker:
    """The student of one stage, trained or found finished."""
    is_first = taught.model.config.steps == taught.model.config.times
    settings = config.distillation
    student = talker_model.student(taught, steps, settings.student if is_first else None, config.seed)
    run = _run_of(config, taught, student, sets, steps)
    student.model.to(device)
    parts = "denoiser" if settings.student is None else parts_of(settings.student)
    task = Distillation(
        student.model, taught.model.to(device), student.rates, config.sampling, settings.largest_weight, parts
    )
    pieces = pieces_of(chunks_of(sets, student, config), settings.optimizer.accumulate)
    best = fit(task, pieces, _judged_by(taught.model, student, batches), run, folder / f"{steps}-steps")
    finished = student.with_weights(best)
    if processes.is_first():
        title = f"{config.title}, {steps} steps" if config.title else run.name
        finished.save(_file(config, folder, steps), card(config, run.name, title, best))
    return finished


def _run_of(
    config: DiffusionConfig, taught: Talker, student: Talker, sets: Sequence[MotionSet], steps: int
) -> DiffusionRun:
    """What a stage must find the same where it goes on."""
    return DiffusionRun(
        f"{config.name}-{steps}",
        student.model.config,
        f"{taught.model.config.steps} steps {of_tensors(taught.model)}",
        fingerprints(sets),
        config.sampling,
        config.distillation.losses,
        config.distillation.optimizer_of(steps),
        config.seed,
    )


def _judged_by(
    teacher: DiffusionTalker, student: Talker, batches: Sequence[MotionBatch]
) -> Callable[[nn.Module], dict[str, float]]:
    """Judges a student by how far its steps end from where two of the teacher's end, on validation chunks."""

    def validate(average: nn.Module) -> dict[str, float]:
        model = typing.cast("DiffusionTalker", average)
        device = next(model.parameters()).device
        found = [lesson_error(model, teacher, batch.to(device), student.rates) for batch in batches]
        mean = sum(found) / len(found)
        return {"lesson error": mean, "score": -mean}

    return validate


@torch.no_grad()
def lesson_error(
    model: DiffusionTalker, teacher: DiffusionTalker, batch: MotionBatch, rates: Mapping[str, float]
) -> float:
    """Mean squared distance between where one step of a student ends and where two steps of its teacher end.

    From the same noisy motion of a batch, over up to eight of the student's steps, in deviations of the motion.
    """
    nobody = torch.zeros(len(batch.identity), dtype=torch.bool, device=batch.values.device)
    choices = Choices(batch.identity, nobody, nobody)
    own, theirs = (tell(each.eval(), batch, rates[batch.space], choices).condition for each in (model, teacher))
    x, frames = model.head(batch.space).encode(batch.values, batch.template), batch.lengths.frames
    eps = diffusion.noise_field(0, 0, x.shape[1], x.shape[2]).to(x).expand_as(x)
    steps, times = model.config.steps, model.config.times
    numbers = sorted({-(-steps * lesson // _LESSONS) for lesson in range(1, _LESSONS + 1)})
    total = 0.0
    for number in numbers:
        time, middle, end = lesson_times(times, steps, torch.full((len(x),), number, device=x.device))
        z = diffusion.noisy(x, eps, diffusion.level_at(model.levels, time))
        halfway = teacher.step(batch.space, z, time, middle, theirs, counts=frames)
        taught = teacher.step(batch.space, halfway, middle, end, theirs, counts=frames)
        total += motion(model.step(batch.space, z, time, end, own, counts=frames), taught, frames).item()
    return total / len(numbers)


def _file(config: DiffusionConfig, folder: Path, steps: int) -> Path:
    return folder / f"{config.name}-{steps}.safetensors"
