# SPDX-License-Identifier: GPL-3.0-or-later
"""How a model performs: the artist's choices, as names and numbers only. No bpy."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...backend import protocol


class StyleAs(enum.StrEnum):
    """What a recording stands for, in whose style is spoken."""

    NEAREST = "nearest"
    """The identity of the model that sounds most like it."""
    HEARD = "heard"
    """The voice itself."""


@dataclass(frozen=True)
class PerformanceOptions:
    """What only a model that denoises can be asked for; each as it is here asks for nothing."""

    steps: int = 0
    """Denoising steps; 0: as many as the model was made for."""
    seed: int = 0
    """Take i has the noise of seed + i."""
    takes: int = 1
    guidance: float = 1.0
    """How far the motion follows the speech."""
    style_from: str = ""
    """A sound strip of the scene, or a sound file, in whose style is spoken; empty: in that of the chosen identity."""
    style_as: StyleAs = StyleAs.NEAREST
    emotions: Mapping[str, float] = field(default_factory=dict)
    """How much of each emotion is felt, 0 or more."""
    keyed: bool = False
    """Whether emotions are felt as they are set and keyed on the character, instead of `emotions`."""
    where_possible: bool = False
    """Whether what a model cannot be asked for is left out; else the backend refuses it."""

    def possible_with(self, model: protocol.ModelInfo | None, space: str) -> PerformanceOptions:
        """What can be asked of a model, as far as it is known; a seed also is for blinks, and never is too much."""
        if model is None:
            return self
        if not self.where_possible:
            return self if model.steps else replace(self, seed=0)
        if not model.steps:
            return PerformanceOptions()
        moves_mesh = (space or model.spaces[0]) in model.meshes
        return replace(
            self,
            steps=min(self.steps, model.most_steps),
            takes=1 if moves_mesh else min(self.takes, model.most_takes),
        )
