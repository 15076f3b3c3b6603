# SPDX-License-Identifier: GPL-3.0-or-later
"""Config of a run of the default model: frozen dataclasses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from backend.models.unitalker import UniTalkerConfig
from backend.training.config import OptimizerConfig, parse, read_table


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
    background: bool = False
    """Nobody speaks in this group: a mouth rests over it (`DataConfig.recorded`), and it is heard behind voices
    (`AugmentConfig.recorded`). Its share is 0."""


@dataclass(frozen=True)
class DataConfig:
    """What a batch is made of."""

    groups: tuple[GroupConfig, ...]
    batch: int = 16
    seconds: float = 4.0
    rest: float = 0.06
    """Share of chunks without speech: noise, hum, tones, breath, with the mouth at rest."""
    recorded: float = 0.0
    """Share of these that is drawn from the groups of backgrounds, each of them as often, instead of made."""
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
    tempo: float = 0.4
    """Like speed, but pitch and formants stay."""
    leisurely: float = 0.8
    hurried: float = 1.5
    whispered: float = 0.0
    """Share of chunks of speech whose voice becomes breath."""
    shouted: float = 0.0
    """Share of chunks of speech that are made loud and high; with `whispered` at most 1."""
    reverb: float = 0.4
    equalize: float = 0.7
    band: float = 0.25
    """Telephone, small loudspeaker or muffled: only a part of the band is left."""
    noise: float = 0.6
    loudest_noise: float = 5.0
    """dB: the lowest signal-to-noise ratio."""
    white: float = 0.3
    """Share of the noises that is white; up to 0.75, since a quarter is knocks and other voices."""
    white_from: float = 8.0
    """dB: the lowest signal-to-noise ratio of white noise."""
    white_to: float = 30.0
    """dB: the highest."""
    recorded: float = 0.0
    """Share of the noises that are left, besides white ones, knocks and voices, taken from groups of backgrounds."""
    interrupted: float = 0.3
    """Somebody coughs, breathes or knocks, if there is a pause."""
    loudest_interruption: float = 5.0
    """dB over the voice."""
    gasps: float = 0.0
    """Share of these coughs that end in a hiss or a breath, which sound like an s."""
    clip: float = 0.1
    quantize: float = 0.1
    gain: float = 12.0
    """dB up or down; half of it may come and go inside a chunk."""


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
    importance: dict[str, float] = field(default_factory=dict)
    """Weight of an ARKit channel in the losses of motion and velocity; one that is not named has 1."""
    title: str = ""
    licence: str = "GPL-3.0-or-later"
    attribution: str = ""
    """Whose data it learned from; kept in the model file."""
    seed: int = 1
    learn: Literal["all", "decoder"] = "all"
    """`decoder`: the encoder of the model that the run begins with stays as it is, and motion is learned from what it
    hears."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


def load(path: Path, changes: Sequence[str] = ()) -> TrainingConfig:
    """Reads a toml file and applies changes such as "optimizer.steps=200"; raises ConfigError with what is wrong."""
    return parse(TrainingConfig, read_table(path, changes), path)
