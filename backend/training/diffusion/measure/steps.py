# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps: what students of fewer and fewer steps lose against the teacher of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from backend.training.diffusion.talker_model import Talker
from tqdm import tqdm

from .scenes import Performed, Scene, perform

STILL = 0.01
"""Channels whose takes lie closer together with the teacher are not compared: they follow from the speech."""
SCENES, TAKES = 24, 3


@dataclass(frozen=True)
class StepsRow:
    """One model beside the first."""

    steps: int
    error: float
    """Mean distance of the mouth's weights to the annotation (BS-LVE)."""
    error_change: float
    """Against the first model, as a share."""
    spread: float
    """Mean deviation over takes of the channels that the first model leaves to chance."""
    spread_change: float
    """Mean over these channels of how far their spread is from the first model's, as a share of that."""
    apart: float
    """Distance to the first model's take of the same noise, as a share of the deviation of its takes over time."""
    faster: float


def compare(talkers: Sequence[Talker], space: str, scenes: Sequence[Scene], mouth: np.ndarray) -> list[StepsRow]:
    """Models beside the first of them; `mouth` are the channels of the error."""
    chosen = spaced(scenes, SCENES)
    bar = tqdm(talkers, "steps", unit=" models", leave=False, disable=None)
    found = [perform(talker, space, chosen, range(TAKES)) for talker in bar]
    truth = np.stack([scene.motion for scene in chosen])[:, None]
    rows = zip(talkers, found, strict=True)
    return [_row(talker.model.config.steps, own, found[0], truth, mouth) for talker, own in rows]


def spaced(scenes: Sequence[Scene], count: int) -> list[Scene]:
    """So many of the scenes, from all over them."""
    places = np.linspace(0, len(scenes) - 1, min(count, len(scenes))).round().astype(int)
    return [scenes[place] for place in places]


def _row(steps: int, own: Performed, first: Performed, truth: np.ndarray, mouth: np.ndarray) -> StepsRow:
    error, wanted = (_error(each.takes, truth, mouth) for each in (own, first))
    spread, taught = (each.takes.std(axis=1).mean(axis=(0, 1)) for each in (own, first))
    free = taught > STILL
    apart = np.sqrt(np.square(own.takes - first.takes).mean() / first.takes.var(axis=2).mean())
    return StepsRow(
        steps,
        error,
        error / wanted - 1,
        float(spread[free].mean()),
        float(np.abs(spread[free] / taught[free] - 1).mean()),
        float(apart),
        first.seconds / own.seconds,
    )


def _error(takes: np.ndarray, truth: np.ndarray, mouth: np.ndarray) -> float:
    return float(np.linalg.norm((takes - truth)[..., mouth], axis=-1).mean())
