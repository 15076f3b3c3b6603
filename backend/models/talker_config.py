# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DiffusionTalker is built from: sizes, noise schedule, and which numbers follow from what is heard."""

from __future__ import annotations

from dataclasses import dataclass, field

from .audio_encoder import EncoderConfig
from .denoiser import DenoiserConfig
from .diffusion import Prediction, Schedule
from .regression_ear import RegressionEarConfig
from .unitalker import HeadConfig


@dataclass(frozen=True)
class RegionConfig:
    """Which numbers of a FaceSpace belong to a region of the face."""

    space: str
    numbers: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.numbers or min(self.numbers) < 0:
            raise ValueError(f"a region of {self.space} is no list of numbers")


@dataclass(frozen=True)
class DiffusionTalkerConfig:
    """Everything that a DiffusionTalker is built from; kept in its model file."""

    encoder: EncoderConfig | RegressionEarConfig
    identity_count: int
    """Rows of the identity table; the last one is the pivot that stands for nobody in particular."""
    heads: tuple[HeadConfig, ...]
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    emotions: tuple[str, ...] = ("neutral",)
    """Names of the moods; the first is the usual one."""
    personal_width: int = 64
    schedule: Schedule = "cosine"
    times: int = 512
    """Steps of the noise schedule: as many as the teacher takes."""
    steps: int = 512
    """Steps that this model was trained to sample in."""
    shift: float = 1.0
    """By how much there is more noise at every time than the schedule says (`diffusion.signal_shares`)."""
    liveliness: float = 1.0
    """Size of the noise that takes begin with. A denoiser that has not learnt all it could plays rare things (blinks,
    glances) too rarely; a little more noise than it learnt from gives them back."""
    prediction: Prediction = "x"
    enhanced: tuple[RegionConfig, ...] = ()
    """Upper faces that the enhancer reads; empty: there is no enhancer."""
    decided: tuple[RegionConfig, ...] = ()
    """Mouths that follow from what is heard, by whom and in what mood, and are not left to chance; empty: none."""
    articulator: DenoiserConfig = field(default_factory=lambda: DenoiserConfig(128, 4, dilations=(1, 2, 4)))
    """What decides about them."""
    aligned_width: int = 0
    """Width of a teacher's audio features that training reads off ours (2025 version); 0 for none."""

    def __post_init__(self) -> None:
        if not 1 <= self.identity_count <= 65536 or not 1 <= self.personal_width <= 8192:
            raise ValueError("the sizes of a DiffusionTalker are whole numbers from 1 to 65536")
        if not 2 <= self.times <= 10000 or not 1 <= self.steps <= self.times or not 0 <= self.aligned_width <= 65536:
            raise ValueError("a DiffusionTalker has 2 to 10000 times and samples in 1 step or more of them")
        if not 0.01 <= self.shift <= 100 or not 0 <= self.liveliness <= 10:
            raise ValueError("a noise schedule is shifted by 0.01 to 100, and a liveliness is 0 to 10")
        if not self.emotions or len(set(self.emotions)) != len(self.emotions):
            raise ValueError("a DiffusionTalker has at least one emotion, each with a name of its own")
        dims = {head.space: head.dim for head in self.heads}
        if not dims or len(dims) != len(self.heads):
            raise ValueError("a DiffusionTalker needs at least one head, each with a name of its own")
        for region in (*self.enhanced, *self.decided):
            if max(region.numbers) >= dims.get(region.space, 0):
                raise ValueError(f"a region of {region.space} lies outside the head of that space")
        if any(head.components and head.space == region.space for head in self.heads for region in self.decided):
            raise ValueError("only numbers that are no PCA coefficients can be decided by what is heard")
        if self.decided and self.prediction != "x":
            raise ValueError("what is decided by what is heard has no noise; predict x")
