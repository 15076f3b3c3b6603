# SPDX-License-Identifier: GPL-3.0-or-later
"""Config of a DiffusionTalker: its teacher and the chain of its students; a toml file with `kind = "diffusion"`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from backend.models.audio_encoder import EncoderConfig
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion import Prediction, Schedule
from backend.models.talker_config import DiffusionTalkerConfig
from backend.training.config import OptimizerConfig
from backend.training.lips.config import AugmentConfig
from backend.training.motion.config import HeadsConfig

_BRIEF_ABOVE = 8


@dataclass(frozen=True)
class TalkerConfig:
    """What all FaceSpaces share; fields as in `DiffusionTalkerConfig`. Heads and identities come from the data."""

    encoder: EncoderConfig | None = None
    """None: the model to begin with, a UniTalker, listens and stays as it is (`RegressionEar`)."""
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    articulator: DenoiserConfig = field(default_factory=lambda: DenoiserConfig(128, 4, dilations=(1, 2, 4)))
    """Used with `decided_lips`."""
    personal_width: int = 64
    schedule: Schedule = "cosine"
    times: int = 512
    shift: float = 1.0
    liveliness: float = 1.0
    prediction: Prediction = "x"
    enhancer: bool = False
    """Compare the personalised embedding with the upper face of the prediction (2025 version)."""
    frozen_encoder: bool = False
    """The teacher's encoder stays as it is in the model to begin with (2025 version)."""
    decided_lips: bool = False
    """Jaws and mouths of named controls follow from what is heard and are not left to chance."""

    @property
    def does_listen_alike(self) -> bool:
        """Whether the encoder never changes, so that what is heard of a clip can be kept."""
        return self.frozen_encoder or self.encoder is None


@dataclass(frozen=True)
class StudentConfig:
    """What a student has of its own; all else is its teacher's."""

    encoder: EncoderConfig | None = None
    """None: its teacher's, with its weights, which stay as they are."""
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    articulator: DenoiserConfig = field(default_factory=lambda: DenoiserConfig(128, 4, dilations=(1, 2, 4)))
    """Used where the teacher has one."""
    prediction: Prediction = "x"

    @property
    def does_listen_alike(self) -> bool:
        """Whether the encoder never changes."""
        return self.encoder is None


@dataclass(frozen=True)
class SamplingConfig:
    """What a batch is made of; all chunks of a batch are of one FaceSpace."""

    batch: int = 16
    seconds: float = 4.0
    """Length of the chunks that are cut out of the clips."""
    pivot: float = 0.1
    """How often a chunk is learnt by nobody in particular instead of its speaker."""
    heard: float = 0.2
    """How often the person is told as heard in the audio instead of by the row of the table."""
    unheard: float = 0.1
    """How often the audio is left out, so that guidance has something to lead away from."""

    def __post_init__(self) -> None:
        shares = (self.pivot, self.heard, self.unheard)
        if self.batch < 1 or self.seconds < 0.5 or min(shares) < 0 or self.pivot + self.heard > 1 or self.unheard > 1:
            raise ValueError("a batch has 1 chunk or more of at least 0.5 s, and shares are 0 to 1")


@dataclass(frozen=True)
class DistillationConfig:
    """The chain of students, each of half the steps of its teacher (Salimans and Ho 2022)."""

    last: int = 2
    """Steps of the last student."""
    brief: float = 1.0
    """Share of the optimizer's steps that stages of more than 8 steps are trained for: they have little to learn."""
    losses: dict[str, float] = field(default_factory=lambda: {"motion": 1.0, "velocity": 1.0, "alignment": 1.0})
    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(steps=2000, warmup=50))
    largest_weight: float = 5.0
    """The signal-to-noise ratio that weighs a step is cut to this."""
    student: StudentConfig | None = None
    """A smaller student; None: as the teacher. It begins with fresh weights and learns to hear as the teacher does."""

    def __post_init__(self) -> None:
        if self.last < 1 or self.largest_weight < 1 or not 0 < self.brief <= 1:
            raise ValueError("the last student takes 1 step or more, the largest weight is 1 or more, brief at most 1")

    def optimizer_of(self, steps: int) -> OptimizerConfig:
        """How the student of so many steps learns."""
        if steps <= _BRIEF_ABOVE:
            return self.optimizer
        return replace(self.optimizer, steps=max(round(self.brief * self.optimizer.steps), 1))


@dataclass(frozen=True)
class DiffusionConfig:
    """What the toml file of a run says."""

    kind: Literal["diffusion"]
    name: str
    model: TalkerConfig
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    augment: AugmentConfig | None = None
    """What is done to the sound of chunks (`lips.augment`); None leaves it."""
    losses: dict[str, float] = field(
        default_factory=lambda: {"motion": 1.0, "velocity": 1.0, "contrast": 0.05, "enhancer": 0.05}
    )
    """Weight of each named loss; a loss that is not named counts nothing."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    title: str = ""
    licence: str = "unknown"
    attribution: str = ""
    """Whose data it learned from; kept in the model file."""
    seed: int = 1


@dataclass(frozen=True)
class DiffusionRun:
    """One training of a teacher or of one student; kept beside its checkpoints, and compared when it goes on."""

    name: str
    model: DiffusionTalkerConfig
    teacher: str
    """Name and fingerprint of the model that it learns from or begins with; empty for fresh weights."""
    data: dict[str, str]
    """Fingerprint of each data set."""
    sampling: SamplingConfig
    losses: dict[str, float]
    optimizer: OptimizerConfig
    seed: int
