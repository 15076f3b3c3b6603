# SPDX-License-Identifier: GPL-3.0-or-later
"""Config of a training run: frozen dataclasses, read from a toml file and changed from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from backend.models.unitalker import UniTalkerConfig
from backend.settings import SettingsError, from_plain

from .errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class GroupConfig:
    """Recordings that share a part of the training; the first group that fits a recording takes it."""

    name: str
    share: float
    """Part of all training chunks, relative to the other groups; 0 keeps the group out of training."""
    sources: tuple[str, ...] = ()
    """Source names as in the manifests; empty fits all."""
    speakers: tuple[str, ...] = ()
    """Speaker names; empty fits all."""
    validate: bool = False
    """Choose the best step on this group."""


@dataclass(frozen=True)
class DataConfig:
    """What a batch is made of."""

    groups: tuple[GroupConfig, ...]
    batch: int = 16
    seconds: float = 4.0
    rest: float = 0.06
    """Share of chunks without speech: noise, hum, tones, breath, with the mouth at rest."""
    pivot: float = 0.7
    """Share of chunks that train the pivot identity with the plain targets; the others get a style."""


@dataclass(frozen=True)
class AugmentConfig:
    """How often (0 to 1) each change is made to a chunk, and how far it goes."""

    clean: float = 0.15
    """Share of chunks that are left as they are."""
    speed: float = 0.7
    slowest: float = 0.82
    fastest: float = 1.22
    reverb: float = 0.4
    equalize: float = 0.7
    band: float = 0.25
    """Telephone, small loudspeaker or muffled: only a part of the band is left."""
    noise: float = 0.6
    loudest_noise: float = 5.0
    """dB: the lowest signal-to-noise ratio."""
    clip: float = 0.1
    quantize: float = 0.1
    gain: float = 12.0
    """dB up or down; half of it may come and go inside a chunk."""


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with a warm-up and a cosine; the shipped weights are the moving average."""

    steps: int = 5000
    rate: float = 2e-3
    last_rate: float = 2e-5
    warmup: int = 200
    weight_decay: float = 0.02
    largest_gradient: float = 1.0
    """Norm that gradients are cut to; 0 leaves them as they are."""
    average: float = 0.998
    """Decay per step of the moving average."""
    half_precision: bool = True
    """Compute in bfloat16 where it is safe."""
    validate_every: int = 250


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


@dataclass(frozen=True)
class TrainingConfig:
    """One run; kept beside its checkpoints."""

    name: str
    model: UniTalkerConfig
    data: DataConfig
    losses: dict[str, float]
    """Weight of each named loss; a loss that is not named counts nothing."""
    shut_weight: float = 1.5
    """How much more a missed closure costs than a false one."""
    title: str = ""
    licence: str = "GPL-3.0-or-later"
    attribution: str = ""
    """Whose data it learned from; kept in the model file."""
    seed: int = 1
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


def load(path: Path, changes: Sequence[str] = ()) -> TrainingConfig:
    """Reads a toml file and applies changes such as "optimizer.steps=200"; raises ConfigError with what is wrong."""
    return parse(TrainingConfig, read_table(path, changes), path)


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
    """A config dataclass of plain values; ConfigError with what is wrong in the file."""
    try:
        return from_plain(kind, table, "config")
    except SettingsError as error:
        raise ConfigError(f"The config {path} is wrong: {error}.") from error


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
