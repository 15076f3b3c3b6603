# SPDX-License-Identifier: GPL-3.0-or-later
"""wav2vec 2.0 and WavLM through transformers: built from a config, weights never fetched."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from .layers import Lengths, adapt_frequency, is_real
from .speech_config import SpeechEncoderConfig


class SpeechEncoder(nn.Module):
    """One encoder of the wav2vec 2.0 family, with room for the frequency adaptor in front of its transformer."""

    def __init__(self, config: SpeechEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.width = config.width
        self.shortest = shortest_audio(config)
        self.network = build_network(config)

    def forward(self, audio: Tensor, lengths: Lengths | None = None, frames: int | None = None) -> Tensor:
        """Audio [B, n] to features [B, t, width]; with `frames`, the convolution's output is resampled to that many."""
        audio = functional.pad(audio, (0, max(0, self.shortest - audio.shape[1])))
        samples = None if lengths is None else lengths.samples.clamp(min=self.shortest)
        if self.config.normalise_audio:
            audio = standardise(audio, samples)
        heard = self._convolved(audio, samples)
        counts = None if samples is None else self.feature_count(samples)
        if frames is not None:
            wanted = None if lengths is None else lengths.frames
            heard, counts = adapt_frequency(heard, frames, counts, wanted), wanted
        projected, _ = self.network.feature_projection(heard)
        mask = None if counts is None else is_real(counts, projected.shape[1])
        return self.network.encoder(projected, attention_mask=mask).last_hidden_state

    def feature_count(self, samples: Tensor) -> Tensor:
        """Features that clips of so many samples give; int64 [B] both."""
        return feature_count(self.config, samples.clamp(min=self.shortest))

    def _convolved(self, audio: Tensor, samples: Tensor | None) -> Tensor:
        """Audio [B, n] to [B, t, channels]."""
        first, *others = self.network.feature_extractor.conv_layers
        if samples is None or self.config.convolution_norm == "layer":
            return self.network.feature_extractor(audio).transpose(1, 2)
        counts = (samples - self.config.convolution_kernels[0]) // self.config.convolution_strides[0] + 1
        heard = first.activation(normalise_channels(first.layer_norm, first.conv(audio[:, None]), counts))
        for layer in others:
            heard = layer(heard)
        return heard.transpose(1, 2)


def standardise(audio: Tensor, samples: Tensor | None = None) -> Tensor:
    """Zero mean and unit variance per clip of [B, n], as the wav2vec 2.0 feature extractor does it.

    With `samples` int64 [B], over so many of each clip; zeros stay behind them.
    """
    if samples is None:
        variance, mean = torch.var_mean(audio, dim=1, keepdim=True, correction=0)
        return (audio - mean) / torch.sqrt(variance + 1e-7)
    mean, variance, real = _moments(audio[:, None], samples)
    return ((audio - mean[:, 0]) / torch.sqrt(variance[:, 0] + 1e-7)).where(real[:, 0], 0)


def normalise_channels(norm: nn.GroupNorm, features: Tensor, counts: Tensor) -> Tensor:
    """The norm of [B, C, t] with one group per channel, over the first `counts` int64 [B] of each clip."""
    mean, variance, _ = _moments(features, counts)
    return (features - mean) * torch.rsqrt(variance + norm.eps) * norm.weight[:, None] + norm.bias[:, None]


def _moments(features: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance [B, C, 1] of the first `counts` of [B, C, t], and bool [B, 1, t]: which these are."""
    real, divisor = is_real(counts, features.shape[2])[:, None], counts[:, None, None]
    mean = features.where(real, 0).sum(dim=2, keepdim=True) / divisor
    variance = (features - mean).where(real, 0).square().sum(dim=2, keepdim=True) / divisor
    return mean, variance, real


def feature_count(config: SpeechEncoderConfig, samples: Tensor) -> Tensor:
    """Features that clips of so many samples, at least `shortest_audio`, give; int64 [B] both."""
    for kernel, stride in zip(config.convolution_kernels, config.convolution_strides, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def shortest_audio(config: SpeechEncoderConfig) -> int:
    """Samples that give exactly one feature frame."""
    samples = 1
    for kernel, stride in zip(reversed(config.convolution_kernels), reversed(config.convolution_strides), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def build_network(config: SpeechEncoderConfig) -> Any:  # noqa: ANN401 (transformers' own submodules are untyped)
    """The transformers model of a config, with random weights."""
    if config.kind == "wav2vec2":
        attention: dict[str, Any] = {"attn_implementation": "sdpa"}
        return Wav2Vec2Model(Wav2Vec2Config(**shared_settings(config), **attention))
    buckets: dict[str, Any] = {"num_buckets": config.distance_buckets, "max_bucket_distance": config.distance_limit}
    network = WavLMModel(WavLMConfig(**shared_settings(config), **buckets))
    for number, layer in enumerate(network.encoder.layers):
        layer.attention = LeanAttention(config, has_distances=number == 0)
    return network


def shared_settings(config: SpeechEncoderConfig) -> dict[str, Any]:
    """What both families of transformers configs call the same."""
    return {
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.attention_heads,
        "intermediate_size": config.feed_forward,
        "conv_dim": config.convolution_channels,
        "conv_kernel": config.convolution_kernels,
        "conv_stride": config.convolution_strides,
        "num_feat_extract_layers": len(config.convolution_channels),
        "conv_bias": config.convolution_bias,
        "feat_extract_norm": config.convolution_norm,
        "do_stable_layer_norm": config.stable_layer_norm,
        "num_conv_pos_embeddings": config.position_kernel,
        "num_conv_pos_embedding_groups": config.position_groups,
        "hidden_dropout": config.dropout,
        "attention_dropout": config.dropout,
        "feat_proj_dropout": config.dropout,
        "activation_dropout": 0.0,
        "layerdrop": config.layer_drop,
        # the mask vector stays a parameter, as in official checkpoints, while masking itself is off
        "apply_spec_augment": False,
        "mask_time_prob": 0.05,
    }


class LeanAttention(WavLMAttention):
    """WavLM's attention without its maps: transformers 5 computes and averages them for every layer."""

    def __init__(self, config: SpeechEncoderConfig, has_distances: bool) -> None:
        super().__init__(
            config.width,
            config.attention_heads,
            config.dropout,
            config.distance_buckets,
            config.distance_limit,
            has_relative_position_bias=has_distances,
        )

    def torch_multi_head_self_attention(
        self, hidden_states: Tensor, attention_mask: Tensor | None, gated_position_bias: Tensor
    ) -> tuple[Tensor, None]:
        """Hidden states [B, t, width] and biases [B * heads, t, t] to [B, t, width]."""
        batch, length, width = hidden_states.shape
        query, key, value = (
            projection(hidden_states).view(batch, length, self.num_heads, self.head_dim).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        bias = gated_position_bias.view(batch, self.num_heads, length, length)
        if attention_mask is not None:
            bias = bias.masked_fill(~attention_mask[:, None, None, :], -torch.inf)
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)), None
