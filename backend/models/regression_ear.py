# SPDX-License-Identifier: GPL-3.0-or-later
"""A UniTalker as an ear: what it hears, and what it would make the mouth do, as the features of a model that diffuses.

A model that diffuses learns from few hours what is free about a face. How lips follow speech is no matter of chance and
takes far more speech to learn, and a regression has learnt it: so its answer is heard along with its features. The
weights are part of the model that listens by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .layers import Lengths, at_frames
from .mel_encoder import FEATURE_RATE, MelEncoder, MelEncoderConfig
from .mel_filters import RATE
from .unitalker import UniTalker, UniTalkerConfig

_UNIT = 0.1
"""What of a control's weight becomes one unit of a feature, which are about that large."""

_WITHIN_FRAME = 0.5
"""Where in a frame it is heard. A UniTalker stretches a clip so that its first and last frame get the first and last
feature: in the mean over a clip, a frame gets what is heard in its middle. That does not depend on the clip's end."""


@dataclass(frozen=True)
class RegressionEarConfig:
    """A UniTalker with a mel encoder and a head of controls."""

    talker: UniTalkerConfig
    kind: Literal["regression"] = "regression"
    space: str = "arkit"
    fps: float = 60.0
    """Frames per second that it was trained to give."""

    def __post_init__(self) -> None:
        if not isinstance(self.talker.encoder, MelEncoderConfig) or self.talker.interpolate_position != 1:
            raise ValueError("an ear is a UniTalker with a mel encoder, whose time is resampled behind it")
        if [head.space for head in self.talker.heads] != [self.space] or self.talker.heads[0].components:
            raise ValueError("an ear has one head, of controls")
        if not 1 <= self.fps <= 240:
            raise ValueError("an ear gives 1 to 240 frames per second")


class RegressionEar(nn.Module):
    """Audio to a UniTalker's features and motion, at the frame rate of its motion."""

    def __init__(self, config: RegressionEarConfig) -> None:
        super().__init__()
        self.config = config
        self.talker = UniTalker(config.talker)
        self.width = self.talker.encoder.width + config.talker.heads[0].dim

    @property
    def mel(self) -> MelEncoder:
        """What listens inside."""
        encoder = self.talker.encoder
        assert isinstance(encoder, MelEncoder)
        return encoder

    def forward(self, audio: Tensor, lengths: Lengths | None = None, level: Tensor | None = None) -> Tensor:
        """Audio float32 [B, n] at 16 kHz to features [B, n / 16000 * fps, width]; `level` as for a `MelEncoder`."""
        wanted = None if lengths is None else self.feature_count(lengths.samples)
        frames = self._frames(audio.shape[1])
        aligned = at_frames(self.mel(audio, lengths, level), FEATURE_RATE, frames, self.config.fps, _WITHIN_FRAME)
        nobody = torch.full((len(audio),), self.config.talker.identity_count - 1, device=audio.device)
        motion, _ = self.talker.heads[self.config.space](self.talker.decoder(aligned, nobody, wanted), None)
        return torch.cat((aligned, motion / _UNIT), dim=2)

    def motion(self, features: Tensor) -> Tensor:
        """What the ear itself would make the face do, [B, t, dim of its space], of its features [B, t, width]."""
        return features[..., self.mel.width :] * _UNIT

    def feature_count(self, samples: Tensor) -> Tensor:
        """Features that clips of so many samples give; int64 [B] both."""
        return (samples * self.config.fps / RATE).round().long().clamp(min=1)

    def _frames(self, samples: int) -> int:
        return int(self.feature_count(torch.tensor(samples)))
