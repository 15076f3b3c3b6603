# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a model that diffuses, and of no other: steps, seed, takes, guidance, a style, emotions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from . import emotions as feelings
from .emotions import Emotions

MOST_TAKES = 64
LARGEST_SEED = 2**63 - 1 - MOST_TAKES
LARGEST_GUIDANCE = 10.0


@dataclass(frozen=True, eq=False)
class Performance:
    """What can be asked of a model that diffuses; None leaves it to the model."""

    steps: int | None = None
    """Denoising steps; None: as many as the model was trained for."""
    seed: int | None = None
    """Take i has the noise of seed + i; None: 0."""
    takes: int | None = None
    guidance: float | None = None
    """How far the motion follows the speech; None: 1, as it was learned."""
    style: np.ndarray | None = None
    """Identity vector that was heard in a recording (`heard_style`), instead of a known identity."""
    emotions: Emotions | None = None
    """What is felt: weights by name, or (second, weights) points of an emotion that changes; None: neutral."""

    def __post_init__(self) -> None:
        """ValueError, with a sentence for the user, for what no model can do."""
        if not 1 <= self.count <= MOST_TAKES:
            raise ValueError(f"{self.takes} takes are not possible; choose 1 to {MOST_TAKES}.")
        if not 0 <= (self.seed or 0) <= LARGEST_SEED:
            raise ValueError(f"{self.seed} is no seed; choose a number from 0 to {LARGEST_SEED}.")
        if self.guidance is not None and not (math.isfinite(self.guidance) and 0 <= self.guidance <= LARGEST_GUIDANCE):
            raise ValueError(f"A guidance of {self.guidance:g} is not possible; choose 0 to {LARGEST_GUIDANCE:g}.")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"{self.steps} steps are not possible; choose 1 or more.")
        if self.emotions is not None:
            object.__setattr__(self, "emotions", feelings.checked(self.emotions))

    def asked(self) -> list[str]:
        """The names of what is asked for."""
        return [name for name in self.__dataclass_fields__ if getattr(self, name) is not None]

    @property
    def count(self) -> int:
        """How many takes there are."""
        return 1 if self.takes is None else self.takes

    def seeds(self) -> range:
        """The seed of every take."""
        return range(self.seed or 0, (self.seed or 0) + self.count)
