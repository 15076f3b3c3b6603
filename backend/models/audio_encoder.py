# SPDX-License-Identifier: GPL-3.0-or-later
"""What listens: the encoders a model can be built with, behind one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .mel_encoder import MelEncoder, MelEncoderConfig
from .speech_config import SpeechEncoderConfig

if TYPE_CHECKING:
    from .speech_encoder import SpeechEncoder


EncoderConfig: TypeAlias = SpeechEncoderConfig | MelEncoderConfig


def build_encoder(config: EncoderConfig) -> SpeechEncoder | MelEncoder:
    """A module that maps audio float32 [B, n] at 16 kHz to features [B, ~n/320, width].

    It has an attribute `width`; `feature_count` says how many features are real where clips are padded (`Lengths`).
    """
    if isinstance(config, MelEncoderConfig):
        return MelEncoder(config)
    from .speech_encoder import SpeechEncoder  # transformers takes seconds to import; the default model needs none

    return SpeechEncoder(config)
