# SPDX-License-Identifier: GPL-3.0-or-later
"""An ear for the encoder with a transformer: convolutions that hear 64 bands of the speech, computed, not learnt.

The trainer leaves the convolutions of a speech encoder as they were pretrained; random ones would hear next to nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch
from backend import checkpoint
from backend.checkpoint import ModelCard
from backend.face import FaceSpace
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from torch import Tensor

RATE = 16000
ENCODER = SpeechEncoderConfig(
    "wav2vec2",
    width=48,
    layers=2,
    attention_heads=4,
    feed_forward=96,
    convolution_channels=(64, 64),
    convolution_kernels=(256, 32),
    convolution_strides=(20, 16),
    position_kernel=32,
    position_groups=4,
    dropout=0.05,
    layer_drop=0.0,
)
"""Two layers behind an ear; 50 features a second, as all encoders of its family."""
_LOWEST, _HIGHEST = 100.0, 6500.0


def write(path: Path) -> Path:
    """A model file with this ear and nothing learnt, where there is none yet."""
    if path.is_file():
        return path
    torch.manual_seed(1)
    model = UniTalker(UniTalkerConfig(ENCODER, "conv", 8, 1, (HeadConfig("nothing", 1),)))
    count, _ = ENCODER.convolution_channels
    length, smoothed = ENCODER.convolution_kernels
    window = torch.hann_window(smoothed)
    convolutions = "encoder.network.feature_extractor.conv_layers"
    heard = {
        f"{convolutions}.0.conv.weight": _bands(count, length)[:, None],
        f"{convolutions}.1.conv.weight": torch.eye(count)[..., None] * window / window.sum(),
    }
    model.load_state_dict(model.state_dict() | heard)
    path.parent.mkdir(parents=True, exist_ok=True)
    nothing = FaceSpace("nothing", "controls", 25.0, 1, ("nothing",))
    checkpoint.save(path, model.eval(), [nothing], (), ModelCard("ear", "An ear", "GPL-3.0-or-later"))
    return path


def _bands(count: int, length: int) -> Tensor:
    """float32 [count, length]: windowed tones, evenly spaced on the mel scale."""
    low, high = (2595 * torch.log10(torch.tensor(1 + hertz / 700)) for hertz in (_LOWEST, _HIGHEST))
    hertz = 700 * (10 ** (torch.linspace(float(low), float(high), count) / 2595) - 1)
    seconds = torch.arange(length) / RATE
    return torch.cos(2 * torch.pi * hertz[:, None] * seconds) * torch.hann_window(length)
