# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop: one readable training loop for every task, with checkpoints that go on exactly where they stopped."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic

import torch
from backend.settings import to_plain
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from .config import OptimizerConfig, RunConfig
from .errors import ConfigError
from .task import BatchT, Parts, Task, learn

STATE = "state.safetensors"
BEST = "best.safetensors"
METRICS = "metrics.jsonl"
Validate = Callable[[nn.Module], dict[str, float]]
"""Figures of a model by name; `score` says how good it is."""


@dataclass
class Run(Generic[BatchT]):
    """A training run in progress."""

    task: Task[BatchT]
    config: RunConfig
    folder: Path
    average: nn.Module
    """The model with the moving average of its weights."""
    parts: Parts = field(init=False)
    """What learns now."""
    optimizer: torch.optim.AdamW = field(init=False)
    step: int = 0
    best: float = -math.inf


def fit(
    task: Task[BatchT], batch_of: Callable[[int], BatchT], validate: Validate, config: RunConfig, folder: Path
) -> Path:
    """Trains until the config's last step, resuming what the folder holds; returns the file of the best weights.

    Every step draws from its own seed, so a resumed run repeats an uninterrupted one. Raises ConfigError when the
    folder holds a run with another config.
    """
    run = _start(task, config, folder)
    steps = config.optimizer.steps
    began = time.monotonic()
    recent: list[dict[str, float]] = []
    with tqdm(total=steps, initial=run.step, desc=config.name, unit=" steps") as bar:
        while run.step < steps:
            if (parts := task.parts(run.step)) != run.parts:
                _let_learn(run, parts)
            recent.append(_train_step(run, batch_of(run.step)))
            run.step += 1
            bar.update()
            if run.step % config.optimizer.validate_every == 0 or run.step == steps:
                figures = _validated(run, validate)
                seconds = round(time.monotonic() - began, 1)
                _log(run, {"losses": _means(recent), "figures": figures, "seconds": seconds})
                _save(run)
                recent.clear()
                bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items() if name in ("score", "f1")})
    return folder / BEST


def rate_at(step: int, config: OptimizerConfig) -> float:
    """Learning rate: a linear warm-up, then a cosine down to the last rate."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.last_rate + (config.rate - config.last_rate) * 0.5 * (1 + math.cos(math.pi * done))


def _start(task: Task[BatchT], config: RunConfig, folder: Path) -> Run[BatchT]:
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(task, config, folder, copy.deepcopy(task.model).eval().requires_grad_(False))
    _let_learn(run, task.parts(0))
    if (folder / STATE).is_file():
        _restore(run)
    (folder / "config.json").write_text(json.dumps(to_plain(config), indent=2) + "\n", encoding="utf-8")
    return run


def _let_learn(run: Run, parts: Parts) -> None:
    """Only these parts learn from now on, with a new optimizer that remembers nothing."""
    settings = run.config.optimizer
    learn(run.task.model, parts)
    run.parts = parts
    run.optimizer = torch.optim.AdamW(_parameter_groups(run.task.model, settings.weight_decay), lr=settings.rate)


@torch.no_grad()
def _update_average(run: Run) -> None:
    """Exponential, but over fewer steps at first, so that early weights are forgotten soon."""
    keep = min(run.config.optimizer.average, (1 + run.step) / (10 + run.step))
    for average, latest in zip(run.average.parameters(), run.task.model.parameters(), strict=True):
        average.lerp_(latest, 1 - keep)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """What learns: decay for matrices only; norms, biases and embeddings stay free."""
    learning = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    matrices = [value for name, value in learning if value.ndim > 1 and "identities" not in name]
    chosen = {id(value) for value in matrices}
    others = [value for _, value in learning if id(value) not in chosen]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _train_step(run: Run[BatchT], batch: BatchT) -> dict[str, float]:
    settings = run.config.optimizer
    torch.manual_seed(run.config.seed * 1_000_003 + run.step)
    run.task.model.train()
    for group in run.optimizer.param_groups:
        group["lr"] = rate_at(run.step, settings)
    with torch.autocast(batch.audio.device.type, torch.bfloat16, enabled=settings.half_precision):
        losses = run.task.step(batch)
    total = sum((run.config.losses.get(name, 0.0) * loss for name, loss in losses.items()), torch.zeros(()))
    run.optimizer.zero_grad()
    total.backward()
    if settings.largest_gradient > 0:
        nn.utils.clip_grad_norm_(run.task.model.parameters(), settings.largest_gradient)
    run.optimizer.step()
    _update_average(run)
    return {"total": total.item(), **{name: loss.item() for name, loss in losses.items()}}


def _validated(run: Run, validate: Validate) -> dict[str, float]:
    """Figures of the moving average; keeps its weights when they are the best so far."""
    figures = validate(run.average)
    if figures["score"] > run.best:
        run.best = figures["score"]
        save_file(_tensors(run.average), run.folder / BEST, {"step": str(run.step), "figures": json.dumps(figures)})
    return figures


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of every loss over the steps that had it: not every FaceSpace has all."""
    by_name: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            by_name.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in by_name.items()}


def _log(run: Run, row: dict) -> None:
    line = {"step": run.step, "rate": rate_at(run.step, run.config.optimizer), **row}
    with (run.folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _save(run: Run) -> None:
    """Writes the whole state beside the old one and swaps them, so that a kill leaves one of the two."""
    tensors = {f"model.{name}": value for name, value in _tensors(run.task.model).items()}
    tensors |= {f"average.{name}": value for name, value in _tensors(run.average).items()}
    for number, state in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    about = {"step": str(run.step), "best": repr(run.best), "config": json.dumps(to_plain(run.config))}
    fresh = run.folder / f"{STATE}.part"
    save_file(tensors, fresh, about)
    fresh.replace(run.folder / STATE)


def _restore(run: Run) -> None:
    path = run.folder / STATE
    with safe_open(path, "pt") as file:
        about = file.metadata()
    _refuse_other_config(json.loads(about["config"]), to_plain(run.config), run.folder)
    tensors = load_file(path)
    run.step, run.best = int(about["step"]), float(about["best"])
    _let_learn(run, run.task.parts(run.step - 1))
    run.task.model.load_state_dict(_under(tensors, "model."))
    run.average.load_state_dict(_under(tensors, "average."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _under(tensors, "optimizer.").items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    run.optimizer.load_state_dict({"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]})


def _refuse_other_config(old: dict, new: dict, folder: Path) -> None:
    before, after = _flat(old), _flat(new)
    changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    if changed:
        what = ", ".join(f"{key} was {before.get(key)!r}, is {after.get(key)!r}" for key in changed[:3])
        raise ConfigError(f"{folder} holds a run with another config ({what}); name another folder.")


def _flat(table: dict, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().contiguous().clone() for name, value in module.state_dict().items()}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
