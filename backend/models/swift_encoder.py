# SPDX-License-Identifier: GPL-3.0-or-later
"""A speech encoder as it runs when nobody trains it: the numbers of `SpeechEncoder`, sooner and in less memory.

Besides half precision, where that is wanted: the convolutions go through the sound in blocks that stay in the
processor's cache, with channels last; the group norm is folded into the convolution in front of it; WavLM's distances
are one strip, read along its diagonals, instead of a square for every layer; only the sums between layers are float32.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import Lengths, adapt_frequency, frozen, is_real, only_real
from .speech_config import SpeechEncoderConfig
from .speech_encoder import SpeechEncoder, feature_count, standardise
from .swift_attention import Attention, Distances

BLOCK = 125
"""Features that the convolutions make at a time on a processor: 2.5 s of sound."""


class SwiftEncoder(nn.Module):
    """Takes the weights of a `SpeechEncoder` over, which is of no use afterwards."""

    def __init__(self, encoder: SpeechEncoder, dtype: torch.dtype) -> None:
        """Products are made in `dtype`: float32, or half precision."""
        super().__init__()
        config, network = encoder.config, encoder.network
        self.config, self.width, self.shortest, self.dtype = config, encoder.width, encoder.shortest, dtype
        layers = network.encoder.layers
        self.convolutions = Convolutions(encoder, dtype)
        self.norm = network.feature_projection.layer_norm
        self.projection = network.feature_projection.projection.to(dtype)
        self.positions = Positions(network.encoder.pos_conv_embed.conv, dtype)
        self.distances = Distances(config, layers[0].attention) if config.kind == "wavlm" else None
        self.layers = nn.ModuleList(Layer(config, layer, dtype) for layer in layers)
        self.outer_norm = network.encoder.layer_norm

    def forward(self, audio: Tensor, lengths: Lengths | None = None, frames: int | None = None) -> Tensor:
        """As `SpeechEncoder`: audio [B, n] to features float32 [B, t, width]."""
        audio = functional.pad(audio, (0, max(0, self.shortest - audio.shape[1])))
        samples = None if lengths is None else lengths.samples.clamp(min=self.shortest)
        heard = self.convolutions(
            standardise(audio, samples) if self.config.normalise_audio else audio, samples
        ).float()
        counts = None if samples is None else self.feature_count(samples)
        if frames is not None:
            wanted = None if lengths is None else lengths.frames
            heard, counts = adapt_frequency(heard, frames, counts, wanted), wanted
        hidden = only_real(self.projection(self.norm(heard).to(self.dtype)), counts)
        hidden = hidden.float() + self.positions(hidden).float()
        if not self.config.stable_layer_norm:
            hidden = self.outer_norm(hidden)
        distances = None if self.distances is None else self.distances(hidden.shape[1], self.dtype)
        real = None if counts is None else is_real(counts, hidden.shape[1])[:, None, None]
        for layer in self.layers:
            hidden = layer(hidden, distances, real)
        return self.outer_norm(hidden) if self.config.stable_layer_norm else hidden

    def feature_count(self, samples: Tensor) -> Tensor:
        """Features that clips of so many samples give; int64 [B] both."""
        return feature_count(self.config, samples.clamp(min=self.shortest))


class Convolutions(nn.Module):
    """Sound to features, about 50 a second."""

    def __init__(self, encoder: SpeechEncoder, dtype: torch.dtype) -> None:
        super().__init__()
        config = encoder.config
        first, *others = encoder.network.feature_extractor.conv_layers
        self.hop, self.reach, self.dtype = math.prod(config.convolution_strides), encoder.shortest, dtype
        self.opening = (NormedOpening if config.convolution_norm == "group" else Opening)(first, dtype)
        self.others = nn.ModuleList(Convolution(layer, dtype) for layer in others)

    def forward(self, audio: Tensor, samples: Tensor | None = None) -> Tensor:
        """Audio [B, n], the first `samples` int64 [B] real, to [B, t, channels] in the working precision.

        What a block gives does not depend on the cuts.
        """
        weight, bias = self.opening.weights(audio, samples)
        count = (audio.shape[1] - self.reach) // self.hop + 1
        step = BLOCK if audio.device.type == "cpu" else count
        starts = range(0, count, step)
        ends = ((min(start + step, count) - 1) * self.hop + self.reach for start in starts)
        blocks = (audio[:, start * self.hop : end].to(self.dtype) for start, end in zip(starts, ends, strict=True))
        return torch.cat([self._block(block, weight, bias) for block in blocks], dim=1)

    def _block(self, audio: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        heard = self.opening(audio, weight, bias)
        for convolution in self.others:
            heard = convolution(heard)
        return heard


class Opening(nn.Module):
    """The first convolution, from one channel to many: a product with overlapping stretches of the sound."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:  # noqa: ANN401 (transformers' classes differ)
        super().__init__()
        self.kernel, self.stride, self.dtype = layer.conv.kernel_size[0], layer.conv.stride[0], dtype
        self.convolution = layer.conv
        self.norm = layer.layer_norm

    def weights(self, _audio: Tensor, _samples: Tensor | None) -> tuple[Tensor, Tensor]:
        """[B or 1, kernel, channels] and [B or 1, 1, channels]: what `forward` multiplies by and adds."""
        weight, bias = self.convolution.weight[:, 0], self.convolution.bias
        bias = torch.zeros_like(weight[:, 0]) if bias is None else bias
        return weight.T[None].to(self.dtype), bias[None, None].to(self.dtype)

    def forward(self, audio: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Audio [B, n] to [B, t, channels]."""
        return functional.gelu(self._normed(self._stretches(audio) @ weight + bias))

    def _stretches(self, audio: Tensor) -> Tensor:
        return audio.unfold(1, self.kernel, self.stride)

    def _normed(self, heard: Tensor) -> Tensor:
        return functional.layer_norm(heard.float(), heard.shape[2:], self.norm.weight, self.norm.bias).to(self.dtype)


class NormedOpening(Opening):
    """The same with a group norm of one channel per group, which becomes part of the weights.

    Mean and variance of a convolution's outputs follow from the mean and covariance of the stretches that go in.
    """

    def weights(self, audio: Tensor, samples: Tensor | None) -> tuple[Tensor, Tensor]:
        weight = self.convolution.weight[:, 0].double()
        mean, covariance = self._moments(self._stretches(audio.double()), samples)
        variance = (weight @ covariance * weight).sum(dim=2)
        scale = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        folded = (weight * scale[:, :, None]).mT
        return folded.to(self.dtype), (self.norm.bias - mean @ folded).to(self.dtype)

    def _moments(self, stretches: Tensor, samples: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean [B, 1, kernel] and covariance [B, kernel, kernel] of those stretches [B, t, kernel] that are real."""
        if samples is None:
            mean = stretches.mean(dim=1, keepdim=True)
            return mean, (stretches - mean).mT @ (stretches - mean) / stretches.shape[1]
        counts = (samples - self.kernel) // self.stride + 1
        total = counts[:, None, None]
        mean = only_real(stretches, counts).sum(dim=1, keepdim=True) / total
        apart = only_real(stretches - mean, counts)
        return mean, apart.mT @ apart / total

    def _normed(self, heard: Tensor) -> Tensor:
        return heard


class Convolution(nn.Module):
    """One of the other convolutions, with channels last: [B, n, channels] to [B, t, channels]."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:  # noqa: ANN401
        super().__init__()
        self.stride, self.norm = layer.conv.stride[0], getattr(layer, "layer_norm", None)
        bias = layer.conv.bias
        self.weight, self.bias = (
            frozen(flat(layer.conv.weight.to(dtype))),
            None if bias is None else frozen(bias.to(dtype)),
        )

    def forward(self, heard: Tensor) -> Tensor:
        convolved = functional.conv2d(flat(heard.mT), self.weight, self.bias, stride=(1, self.stride))
        heard = convolved.squeeze(2).mT
        return functional.gelu(heard if self.norm is None else self.norm(heard.float()).to(heard.dtype))


class Positions(nn.Module):
    """The wide convolution that tells places apart: [B, t, width] to the same."""

    def __init__(self, convolution: nn.Conv1d, dtype: torch.dtype) -> None:
        super().__init__()
        self.groups, self.padding = convolution.groups, convolution.kernel_size[0] // 2
        self.weight = frozen(flat(convolution.weight.to(dtype)))
        bias = convolution.bias
        self.bias = None if bias is None else frozen(bias.to(dtype))

    def forward(self, hidden: Tensor) -> Tensor:
        padding = (0, self.padding)
        convolved = functional.conv2d(flat(hidden.mT), self.weight, self.bias, padding=padding, groups=self.groups)
        return functional.gelu(convolved.squeeze(2).mT[:, : hidden.shape[1]])


class Layer(nn.Module):
    """A transformer layer over float32 [B, t, width]."""

    def __init__(self, config: SpeechEncoderConfig, layer: Any, dtype: torch.dtype) -> None:  # noqa: ANN401
        super().__init__()
        self.norm_first, self.dtype = config.stable_layer_norm, dtype
        self.attention = Attention(config.attention_heads, layer.attention.to(dtype))
        self.norm, self.last_norm = layer.layer_norm, layer.final_layer_norm
        self.widen = layer.feed_forward.intermediate_dense.to(dtype)
        self.narrow = layer.feed_forward.output_dense.to(dtype)

    def forward(self, hidden: Tensor, distances: Tensor | None, real: Tensor | None) -> Tensor:
        if self.norm_first:
            hidden = hidden + self.attention(self.norm(hidden).to(self.dtype), distances, real)
            return hidden + self._at_every_frame(self.last_norm(hidden))
        hidden = self.norm(hidden + self.attention(hidden.to(self.dtype), distances, real))
        return self.last_norm(hidden + self._at_every_frame(hidden))

    def _at_every_frame(self, hidden: Tensor) -> Tensor:
        return self.narrow(functional.gelu(self.widen(hidden.to(self.dtype))))


def flat(rows: Tensor) -> Tensor:
    """[a, b, c] as an image [a, b, 1, c] with channels last, which oneDNN and cuDNN convolve fastest."""
    return rows.unsqueeze(2).contiguous(memory_format=torch.channels_last)
