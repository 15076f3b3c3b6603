# SPDX-License-Identifier: GPL-3.0-or-later
"""The task of the default model: from speech to ARKit weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from backend.face import ARKIT_CHANNELS
from backend.models.unitalker import UniTalker
from backend.phonetics.phones import SILENCE
from backend.training.errors import ConfigError
from backend.training.task import Parts
from torch import Tensor

from . import losses
from .data import Batch
from .prepare import BETWEEN

CLOSURE_HEAD, VISEME_HEAD = "closure", "viseme"


class SpeechToLips:
    """Regression of ARKit weights, with the phones and closures behind them as side questions to the encoder."""

    def __init__(
        self, model: UniTalker, shut_weight: float, importance: Mapping[str, float], learn: Parts = "all"
    ) -> None:
        """`importance` is a weight for some ARKit channels; the others have 1. Raises ConfigError for other names."""
        unknown = sorted(importance.keys() - set(ARKIT_CHANNELS))
        if unknown:
            raise ConfigError(f"[importance] names {', '.join(unknown)}, which is no ARKit channel.")
        self.model = model
        self.shut_weight = shut_weight
        self.learn: Parts = learn
        self.importance = torch.tensor([importance.get(name, 1.0) for name in ARKIT_CHANNELS])

    def parts(self, step: int) -> Parts:
        """The same from the first step to the last."""
        return self.learn

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Losses motion, pause, velocity, closure, closure_head and viseme_head."""
        prediction = self.model(batch.audio, batch.space, batch.values.shape[1], batch.identity)
        values = prediction.values.float()
        importance = self.importance.to(values)
        readings = {name: reading.float() for name, reading in prediction.auxiliary.items()}
        frames = prediction.features.shape[1]
        lips, visemes = losses.at_rate(batch.lips, frames), losses.at_rate(batch.visemes, frames)
        return {
            "motion": losses.motion(values, batch.values, importance),
            "pause": losses.pause(values, batch.values, importance, batch.visemes == SILENCE),
            "velocity": losses.velocity(values, batch.values, importance),
            "closure": losses.closure(values, _lips_of_speech(batch), self.shut_weight),
            "closure_head": losses.shut(readings[CLOSURE_HEAD][..., 0], lips, self.shut_weight),
            "viseme_head": losses.viseme(readings[VISEME_HEAD], visemes),
        }


def _lips_of_speech(batch: Batch) -> Tensor:
    """Where nobody speaks the mouth rests closed, and that is neither a closure nor a missed one."""
    return torch.where(batch.visemes == SILENCE, BETWEEN, batch.lips)
