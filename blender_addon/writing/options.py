# SPDX-License-Identifier: GPL-3.0-or-later
"""How keys are written: the artist's choices, as names and numbers only. No bpy."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import BadInput
from .regions import REGIONS

MOST_STRENGTH = 10.0
"""Of the whole motion, of a region, or of a phone; 1 is what the model gives."""


class Mode(enum.StrEnum):
    """Where keys go."""

    NEW = "new"
    """Into an action of our own, the active one; the artist's action makes room and plays on below it."""
    REPLACE = "replace"
    """Into the artist's active action: our channels' keys within the range are replaced, every other key stays."""
    NLA = "nla"
    """Into an action of our own in an NLA track on top, where no active action covers it."""


@dataclass(frozen=True)
class WritingOptions:
    """How one motion is written."""

    mode: Mode = Mode.NEW
    blend: int = 0
    """Frames at each edge over which the motion passes into what plays there otherwise."""
    smoothing: float = 0.0
    """Standard deviation, in frames, of the Gaussian that the curves are smoothed with."""
    tolerance: float = 0.0
    """0: a key on every frame; above: few Bezier keys, which meet every frame's value within this."""
    step: int = 1
    """2: poses on twos, held for two frames each as in stop motion."""
    regions: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(REGIONS, 1.0))
    """The strength of each region that is written; what is not in it keeps the artist's animation."""
    blinks: bool = False
    """Whether the eyes blink now and then where the model does not let them."""
    darts: bool = False
    """Whether the eyes look elsewhere now and then."""
    seed: int = 0
    """Other numbers give other blinks and darts; the same number the same ones."""
    beside: bool = False
    """Whether the earlier lip sync of the strip stays as a take, instead of making room for the new one."""

    def check(self) -> None:
        """Raises `BadInput` where the choices cannot be meant."""
        if not self.regions:
            raise BadInput("No region of the face is chosen. Choose at least one, such as the mouth.")
        unknown = [region for region in self.regions if region not in REGIONS]
        if unknown:
            raise BadInput(f"There is no region named “{unknown[0]}”. There are: {', '.join(REGIONS)}.")
        if self.step > 1 and self.tolerance > 0:
            raise BadInput("Held poses have no curves to simplify. Choose either of them.")
        amounts = self.blend, self.smoothing, self.tolerance
        if self.step < 1 or not all(0 <= amount < math.inf for amount in amounts):
            raise BadInput("Blend, smoothing and tolerance are 0 or more, and poses are held for 1 frame or more.")
        if not all(0 <= strength <= MOST_STRENGTH for strength in self.regions.values()):
            raise BadInput(f"The strength of a region is 0 to {MOST_STRENGTH:g}.")
        if self.beside:
            self.check_takes(2)

    def check_takes(self, count: int) -> None:
        """Raises `BadInput` where so many takes cannot be written in this mode."""
        if count > 1 and self.mode is Mode.REPLACE:
            raise BadInput(
                "Takes need actions of their own, to be exchanged as a whole. Choose New Action or NLA Track, or one "
                "take only."
            )
