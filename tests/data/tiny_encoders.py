# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech encoders of every layout that is published, small enough for tests."""

from __future__ import annotations

from backend.models.speech_config import SpeechEncoderConfig

SMALL = {
    "width": 64,
    "layers": 3,
    "attention_heads": 4,
    "feed_forward": 128,
    "convolution_channels": (48,) * 7,
    "position_kernel": 16,
    "position_groups": 4,
    "distance_buckets": 32,
    "distance_limit": 40,
}
B = SpeechEncoderConfig("wavlm", **SMALL)
L = SpeechEncoderConfig(
    "wav2vec2", convolution_bias=True, convolution_norm="layer", stable_layer_norm=True, normalise_audio=True, **SMALL
)
LAYOUTS = {
    "as UniTalker-B": B,
    "as UniTalker-L": L,
    "WavLM large": SpeechEncoderConfig("wavlm", convolution_norm="layer", stable_layer_norm=True, **SMALL),
    "wav2vec2 base": SpeechEncoderConfig("wav2vec2", **SMALL | {"position_kernel": 15}),
}
