# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop: one readable training loop for every task, in one process or in several (`processes`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from backend.precision import has_native_bf16
from torch import Tensor, nn
from tqdm import tqdm

from . import processes
from . import run as runs
from .config import OptimizerConfig, RunConfig
from .errors import RunError
from .journal import Journal
from .run import BEST, Run
from .task import BatchT, Piece, Pieces, Task

Validate = Callable[[nn.Module], dict[str, float]]
"""Figures of a model by name; `score` says how good it is."""
SEEDS_APART = 1 << 40
"""Between the processes: more than any run has steps."""


def fit(
    task: Task[BatchT],
    pieces_of: Pieces[BatchT],
    validate: Validate,
    config: RunConfig,
    folder: Path,
    *,
    tensorboard: bool = False,
) -> Path:
    """Trains where the task's model is, resuming what the folder holds; returns the file of the best weights.

    Ends at the config's last step, or when its patience is over. Every step draws from its own seed, so a resumed run
    repeats an uninterrupted one. Raises ConfigError when the folder holds a run with another config, and RunError
    when the losses are numbers no more.
    """
    current = runs.begin(task, config, folder)
    recent: list[dict[str, float]] = []
    with Journal(folder, current.step, tensorboard=tensorboard) as journal, _bar(current) as bar:
        while not _is_over(current):
            pieces = pieces_of(current.step)
            recent.append(train_step(current, pieces))
            bar.update()
            if not _is_due(current):
                continue
            _refuse_broken_weights(current, pieces)
            if processes.is_first():
                figures = _validated(current, validate)
                journal.write(current.step, rate_at(current.step, config.optimizer), _means(recent), figures)
                runs.save(current)
                bar.set_postfix({name: f"{figures[name]:.3f}" for name in ("score", "f1") if name in figures})
            current.waited = processes.as_first(current.waited, current.device)
            recent.clear()
    return folder / BEST


def rate_at(step: int, config: OptimizerConfig) -> float:
    """Learning rate: a linear warm-up, then a cosine down to the last rate."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.last_rate + (config.rate - config.last_rate) * 0.5 * (1 + math.cos(math.pi * done))


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of every loss over the steps that had it: not every FaceSpace has all."""
    by_name: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            by_name.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in by_name.items()}


def _bar(current: Run) -> tqdm:
    steps, name = current.config.optimizer.steps, current.config.name
    return tqdm(total=steps, initial=current.step, desc=name, unit=" steps", disable=not processes.is_first())


def _is_due(current: Run) -> bool:
    settings = current.config.optimizer
    return current.step % settings.validate_every == 0 or current.step == settings.steps


def _is_over(current: Run) -> bool:
    settings = current.config.optimizer
    return current.step >= settings.steps or 0 < settings.patience <= current.waited


def train_step(current: Run[BatchT], pieces: Sequence[Piece[BatchT]]) -> dict[str, float]:
    """One step of the optimizer on a batch in pieces; gives the losses of the whole batch."""
    settings = current.config.optimizer
    if (parts := current.task.parts(current.step)) != current.parts:
        current.let_learn(parts)
    torch.manual_seed(current.config.seed * 1_000_003 + current.step + processes.number() * SEEDS_APART)
    current.task.model.train()
    for group in current.optimizer.param_groups:
        group["lr"] = rate_at(current.step, settings)
    current.optimizer.zero_grad()
    losses: dict[str, Tensor] = {}
    for piece in pieces:
        for name, loss in _learn_from(current, piece).items():
            losses[name] = piece.share * loss + losses.get(name, 0)
    processes.add_up(losses.values())
    if not math.isfinite(losses["total"]):
        raise _diverged(current, pieces)
    processes.add_up_gradients(current.learning)
    if settings.largest_gradient > 0:
        nn.utils.clip_grad_norm_(current.task.model.parameters(), settings.largest_gradient)
    current.optimizer.step()
    _update_average(current)
    current.step += 1
    return {name: loss.item() for name, loss in losses.items()}


def _learn_from(current: Run[BatchT], piece: Piece[BatchT]) -> dict[str, Tensor]:
    """Adds the piece's share to the gradients; gives its own losses."""
    config, batch = current.config, piece.batch.to(current.device)
    with torch.autocast(current.device.type, torch.bfloat16, enabled=_in_half(current)):
        losses = current.task.step(batch)
    total = sum((config.losses.get(name, 0.0) * loss for name, loss in losses.items()), torch.zeros(()))
    (piece.share * total).backward()
    return {name: loss.detach() for name, loss in {"total": total, **losses}.items()}


def _in_half(current: Run) -> bool:
    """Where bfloat16 is not multiplied in hardware it takes many times as long as float32, and gains nothing."""
    return current.config.optimizer.half_precision and has_native_bf16(current.device.type)


def _refuse_broken_weights(current: Run[BatchT], pieces: Sequence[Piece[BatchT]]) -> None:
    """Gradients may overflow where the loss does not; such weights must not replace good ones on the disk."""
    if not all(torch.isfinite(parameter).all() for parameter in current.learning):
        raise _diverged(current, pieces)


def _diverged(current: Run[BatchT], pieces: Sequence[Piece[BatchT]]) -> RunError:
    state = f"the state of step {current.saved} is kept in {current.folder}"
    return RunError(
        f"At step {current.step} the loss or the weights became NaN or infinite in a batch of"
        f" {pieces[0].batch.origin}; {state if current.saved else 'nothing was saved yet'}."
        " Lower the rate, or cut gradients by largest_gradient."
    )


@torch.no_grad()
def _update_average(current: Run) -> None:
    """Exponential, but over fewer steps at first, so that early weights are forgotten soon."""
    keep = min(current.config.optimizer.average, (1 + current.step) / (10 + current.step))
    for average, latest in zip(current.average.parameters(), current.task.model.parameters(), strict=True):
        average.lerp_(latest, 1 - keep)


def _validated(current: Run, validate: Validate) -> dict[str, float]:
    """Figures of the moving average; keeps its weights when they are the best so far."""
    figures = validate(current.average)
    current.waited += 1
    if figures["score"] > current.best:
        current.best, current.waited = figures["score"], 0
        runs.keep_best(current, figures)
    return figures
