# SPDX-License-Identifier: GPL-3.0-or-later
"""What every training run is configured with, read from a toml file and changed from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from backend.settings import SettingsError, from_plain

from .errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW, or Muon beside it, with a warm-up and a cosine; the shipped weights are the moving average."""

    steps: int = 5000
    rate: float = 2e-3
    last_rate: float = 2e-5
    warmup: int = 200
    weight_decay: float = 0.02
    largest_gradient: float = 1.0
    """Norm that gradients are cut to; 0 leaves them as they are."""
    average: float = 0.998
    """Decay per step of the moving average."""
    muon: bool = False
    """Muon for the matrices of the layers: fewer steps, of which each takes a little longer."""
    half_precision: bool = True
    """Compute in bfloat16 where it is safe, on devices that multiply it in hardware; on others in float32."""
    validate_every: int = 250
    accumulate: int = 1
    """Batches whose gradients are collected for one step, which is then that of one batch so many times as large."""
    patience: int = 0
    """Validations without a better score after which a run ends; 0 goes on to the last step."""

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every, self.accumulate) < 1 or self.patience < 0:
            raise ValueError("a run has 1 step or more, collects 1 batch or more, and its patience is 0 or more")


class RunConfig(Protocol):
    """What the loop asks of the config of any run, a dataclass."""

    @property
    def name(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def losses(self) -> Mapping[str, float]: ...

    @property
    def optimizer(self) -> OptimizerConfig: ...


def read_table(path: Path, changes: Sequence[str]) -> dict[str, Any]:
    """The plain values of a toml file with changes applied; ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The config {path} cannot be read: {error}.") from error
    for change in changes:
        _apply(table, change)
    return table


def parse(kind: type[T], table: dict[str, Any], path: Path) -> T:
    """A config dataclass of plain values; ConfigError with what is wrong in the file or its changes."""
    try:
        return from_plain(kind, table, "config")
    except SettingsError as error:
        raise ConfigError(f"The config {path} or a --set is wrong: {error}.") from error


def _apply(table: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    *path, last = key.strip().split(".")
    if not equals:
        raise ConfigError(f"{change!r} is no change; write it as entry=value, for example optimizer.steps=200.")
    for name in path:
        table = table.setdefault(name, {})
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text
