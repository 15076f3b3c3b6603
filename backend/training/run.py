# SPDX-License-Identifier: GPL-3.0-or-later
"""Run: everything that changes while a model is trained, and its state on disk to go on from after a stop."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import torch
from backend import whole_file
from backend.settings import SettingsError, from_plain, to_plain
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from . import processes
from .config import RunConfig
from .errors import ConfigError, RunError
from .optimizers import Optimizers, optimizers_for
from .task import BatchT, Parts, Task, learn

STATE = "state.safetensors"
BEST = "best.safetensors"
CONFIG = "config.json"


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
    optimizer: Optimizers = field(init=False)
    step: int = 0
    best: float = -math.inf
    waited: int = 0
    """Validations since the best one."""
    saved: int = 0
    """Step of the state on the disk; 0 where there is none."""

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return next(self.task.model.parameters()).device

    def let_learn(self, parts: Parts) -> None:
        """Only these parts learn from now on, with a new optimizer that remembers nothing."""
        learn(self.task.model, parts)
        self.parts = parts
        self.optimizer = optimizers_for(self.task.model, self.config.optimizer)

    @property
    def learning(self) -> list[nn.Parameter]:
        """The parameters that learn now."""
        return [parameter for parameter in self.task.model.parameters() if parameter.requires_grad]


def begin(task: Task[BatchT], config: RunConfig, folder: Path) -> Run[BatchT]:
    """A run at its first step, or where the state in the folder left it. Raises ConfigError for another config's."""
    run = Run(task, config, folder, copy.deepcopy(task.model).eval().requires_grad_(False))
    run.let_learn(task.parts(0))
    if (folder / STATE).is_file():
        _restore(run)
    sentence = f"The processes see different runs in {folder}; name a folder that all of their machines share."
    processes.require_same(run.step, run.device, sentence)
    if processes.is_first():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(json.dumps(to_plain(config), indent=2) + "\n", encoding="utf-8")
    return run


def keep_best(run: Run, figures: Mapping[str, float]) -> None:
    """Writes the averaged weights. Raises RunError where the disk is full; the earlier ones stay."""
    _write(run, BEST, _tensors(run.average), {"step": str(run.step), "figures": json.dumps(figures)})


def save(run: Run) -> None:
    """Writes the whole state beside the old one and swaps them, so that a kill or a full disk leaves one of the two.

    Raises RunError where it cannot be written.
    """
    tensors = {f"model.{name}": value for name, value in _tensors(run.task.model).items()}
    tensors |= {f"average.{name}": value for name, value in _tensors(run.average).items()}
    for number, state in run.optimizer.state().items():
        tensors |= {f"optimizer.{number}.{name}": value.cpu() for name, value in state.items()}
    about = {
        "step": str(run.step),
        "best": repr(run.best),
        "waited": str(run.waited),
        "processes": str(processes.count()),
        "config": json.dumps(to_plain(run.config)),
    }
    _write(run, STATE, tensors, about)
    run.saved = run.step


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those of a state's tensors whose names begin so, without it: "average." has the weights averaged over steps."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _write(run: Run, name: str, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    try:
        with whole_file.written(run.folder / name) as partial:
            save_file(tensors, partial, about)
    except (OSError, SafetensorError) as error:
        rest = "the state before it is still there" if (run.folder / STATE).is_file() else "nothing was kept yet"
        raise RunError(
            f"Step {run.step} cannot be written into {run.folder} ({error}); {rest}. Make room and run the same again."
        ) from error


def _restore(run: Run) -> None:
    path = run.folder / STATE
    with safe_open(path, "pt") as file:
        about = file.metadata()
    before = {"processes": int(about.get("processes", 1)), **_completed(json.loads(about["config"]), run.config)}
    _refuse_other(before, {"processes": processes.count(), **to_plain(run.config)}, run.folder)
    tensors = load_file(path)
    run.step = run.saved = int(about["step"])
    run.best, run.waited = float(about["best"]), int(about.get("waited", 0))
    run.let_learn(run.task.parts(run.step - 1))
    run.task.model.load_state_dict(under(tensors, "model."))
    run.average.load_state_dict(under(tensors, "average."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in under(tensors, "optimizer.").items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    run.optimizer.remember(state)


def _completed(old: dict[str, Any], config: RunConfig) -> dict[str, Any]:
    """The plain config of an older run with the defaults of entries that are younger than it."""
    try:
        return to_plain(from_plain(type(config), old))
    except SettingsError:
        return old


def _refuse_other(old: dict[str, Any], new: dict[str, Any], folder: Path) -> None:
    before, after = _flat(old), _flat(new)
    changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    changed.sort(key=lambda key: key != "processes")
    if changed:
        what = ", ".join(f"{key} was {before.get(key)!r}, is {after.get(key)!r}" for key in changed[:3])
        raise ConfigError(f"{folder} holds a run with another config ({what}); name another folder.")


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
