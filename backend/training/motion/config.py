# SPDX-License-Identifier: GPL-3.0-or-later
"""Config of a run on annotated motion: as UniTalker unless it says otherwise; a toml file with `kind = "motion"`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from backend.models.audio_encoder import EncoderConfig
from backend.models.unitalker import UniTalkerConfig
from backend.training.config import OptimizerConfig
from backend.training.task import Parts

from .losses import PAPER_WEIGHTS
from .principal_components import UNITALKER_COMPONENTS
from .regression import PIVOT_PROBABILITY


@dataclass(frozen=True)
class TrunkConfig:
    """What all FaceSpaces share; fields as in `UniTalkerConfig`. Heads and identities come from the data."""

    encoder: EncoderConfig
    decoder: Literal["conv", "transformer"] = "conv"
    decoder_dimension: int = 256
    identity_width: int = 64
    interpolate_position: Literal[0, 1, 2] = 1
    period: int = 30
    dropout: float = 0.1


@dataclass(frozen=True)
class HeadsConfig:
    """How the heads of new FaceSpaces are built."""

    components: int = UNITALKER_COMPONENTS
    """At most so many PCA coefficients for vertices that were prepared with a basis; 0 for none."""
    layers: int = 1

    def __post_init__(self) -> None:
        if self.components < 0 or self.layers < 1:
            raise ValueError("heads have 0 components or more and 1 layer or more")


@dataclass(frozen=True)
class SamplingConfig:
    """What a batch is made of; all clips of a batch are of one FaceSpace."""

    batch: int = 1
    pivot: float = PIVOT_PROBABILITY
    """How often a clip is learnt by the pivot identity instead of its speaker's."""
    repeats: dict[str, int] = field(default_factory=dict)
    """How often every clip of a data set comes in an epoch, by the name of the data set; 1 for those not named here.
    Names of data sets that a run does not train on count nothing."""

    def __post_init__(self) -> None:
        if self.batch < 1 or not 0 <= self.pivot <= 1 or min(self.repeats.values(), default=1) < 1:
            raise ValueError("a batch has 1 clip or more, repeats are 1 or more, and the pivot's share is 0 to 1")


@dataclass(frozen=True)
class LossesConfig:
    """What each loss of `regression.Regression` is multiplied by."""

    motion: float = PAPER_WEIGHTS["motion"]
    weights: float = PAPER_WEIGHTS["weights"]
    coefficients: float = PAPER_WEIGHTS["coefficients"]


@dataclass(frozen=True)
class EpochsConfig:
    """Adam, in epochs: every clip of every data set once, or as often as it is repeated."""

    epochs: int = 100
    decoder_epochs: int = 1
    """Epochs at the beginning in which the encoder stays as it is."""
    validate_every: int = 1
    """Epochs."""
    rate: float = 1e-4
    last_rate: float = 1e-4
    """The rate falls to it along a cosine."""
    largest_gradient: float = 0.0
    """Norm that gradients are cut to; 0 leaves them as they are."""
    average: float = 0.0
    """Decay per step of the moving average of the weights that is validated and kept; 0 for the weights themselves."""
    half_precision: bool = False
    """Compute in bfloat16 where it is safe: not in PCA bases, meshes and losses, nor on devices that do not multiply it
    in hardware."""
    accumulate: int = 1
    """Batches whose gradients are collected for one step, which is then that of one batch so many times as large."""
    patience: int = 0
    """Validations without a better score after which a run ends; 0 goes on to the last epoch."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.validate_every) < 1 or self.decoder_epochs < 0:
            raise ValueError("a run has 1 epoch or more and is validated every epoch or more seldom")
        if self.accumulate < 1 or self.patience < 0:
            raise ValueError("a step collects 1 batch or more, and patience is 0 or more")

    def in_steps(self, steps: int) -> OptimizerConfig:
        """The same with so many steps to an epoch."""
        return OptimizerConfig(
            steps=self.epochs * steps,
            rate=self.rate,
            last_rate=self.last_rate,
            warmup=0,
            weight_decay=0.0,
            largest_gradient=self.largest_gradient,
            average=self.average,
            half_precision=self.half_precision,
            validate_every=self.validate_every * steps,
            accumulate=self.accumulate,
            patience=self.patience,
        )


@dataclass(frozen=True)
class MotionConfig:
    """What the toml file of a run says."""

    kind: Literal["motion"]
    name: str
    model: TrunkConfig | None = None
    """None: as the model to begin with."""
    pretrained: str = ""
    """Folder of a pretrained speech encoder; `model.encoder.pretrained` in the file, which then needs no sizes."""
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    learn: Parts = "all"
    """After the first epochs. Where the decoder stays as it is (`heads`, `identities`), so do the other heads of the
    model to begin with, and they are kept."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    losses: LossesConfig = field(default_factory=LossesConfig)
    schedule: EpochsConfig = field(default_factory=EpochsConfig)
    title: str = ""
    licence: str = "unknown"
    attribution: str = ""
    """Whose data it learned from; kept in the model file."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.learn == "identities" and self.sampling.pivot:
            raise ValueError("people are added beside those who stay as they are; set sampling.pivot to 0")


@dataclass(frozen=True)
class MotionRun:
    """A run on given data; kept beside its checkpoints, and compared when it goes on."""

    name: str
    model: UniTalkerConfig
    begin: str
    """Name and content of the model that it began with; empty for fresh weights."""
    data: dict[str, int]
    """Training clips by data set."""
    manifests: dict[str, str]
    """Content of the manifests by data set."""
    meshes: dict[str, str]
    faces: dict[str, str]
    """Content of the files by FaceSpace whose meshes and faces the losses look at."""
    sampling: SamplingConfig
    losses: dict[str, float]
    learn: Parts
    decoder_steps: int
    optimizer: OptimizerConfig
    seed: int
