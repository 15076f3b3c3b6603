# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes of a speech encoder of the wav2vec 2.0 family, and those of the two that UniTalker was released with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SpeechEncoderConfig:
    """A self-supervised speech encoder of the wav2vec 2.0 family; the defaults are WavLM base plus."""

    kind: Literal["wavlm", "wav2vec2"]
    width: int = 768
    layers: int = 12
    attention_heads: int = 12
    feed_forward: int = 3072
    convolution_channels: tuple[int, ...] = (512,) * 7
    convolution_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    convolution_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    convolution_bias: bool = False
    convolution_norm: Literal["group", "layer"] = "group"
    stable_layer_norm: bool = False
    """Normalise before each layer instead of after it."""
    position_kernel: int = 128
    position_groups: int = 16
    distance_buckets: int = 320
    """WavLM only: rows of its relative position table."""
    distance_limit: int = 800
    """WavLM only: frames beyond which all distances count as one."""
    normalise_audio: bool = False
    """Bring every clip to zero mean and unit variance first."""
    dropout: float = 0.1
    layer_drop: float = 0.05

    def __post_init__(self) -> None:
        sizes = (self.convolution_channels, self.convolution_kernels, self.convolution_strides)
        if not 1 <= self.layers <= 64 or not 1 <= len(sizes[0]) <= 16:
            raise ValueError("a speech encoder has 1 to 64 layers and 1 to 16 convolutions")
        if len({len(size) for size in sizes}) != 1:
            raise ValueError("every convolution of a speech encoder needs channels, a kernel and a stride")
        distances = (self.distance_buckets, self.distance_limit)
        numbers = (self.width, self.attention_heads, self.feed_forward, *sum(sizes, ()), self.position_kernel)
        if min(*numbers, *distances, self.position_groups) < 1 or max(*numbers, *distances) > 65536:
            raise ValueError("the sizes of a speech encoder are whole numbers from 1 to 65536")
        if self.width % self.attention_heads or self.width % self.position_groups:
            raise ValueError("the width of a speech encoder must be a multiple of its attention heads and groups")
        if not (0 <= self.dropout < 1 and 0 <= self.layer_drop < 1):
            raise ValueError("a speech encoder drops a part, from 0 to less than 1, of its numbers and layers")


WAVLM_BASE_PLUS = SpeechEncoderConfig("wavlm")
"""The encoder of the released UniTalker-B."""

WAV2VEC2_XLSR_53 = SpeechEncoderConfig(
    "wav2vec2",
    width=1024,
    layers=24,
    attention_heads=16,
    feed_forward=4096,
    convolution_bias=True,
    convolution_norm="layer",
    stable_layer_norm=True,
    normalise_audio=True,
)
"""The encoder of the released UniTalker-L."""
