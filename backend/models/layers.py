# SPDX-License-Identifier: GPL-3.0-or-later
"""Building blocks of the talking-face models: frequency adaptor, motion decoders, PCA layer, output head."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

ATTENTION_HEADS = 4
"""Heads of the transformer motion decoder; each has its own reach into the past."""


class Lengths(NamedTuple):
    """How much of each clip of a batch is real; zeros fill the rest. A clip gives what it gives alone."""

    samples: Tensor
    """int64 [B]: of the sound."""
    frames: Tensor
    """int64 [B]: of the motion."""


class Dropout(nn.Dropout):
    """As torch's, but a CPU draws 64 bits at a time and tosses eight coins with them: nine times as quick.

    The share that is left out is a whole number of 256ths.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0 or input.device.type != "cpu":
            return super().forward(input)
        dropped = round(256 * self.p)
        bits = torch.empty(-(-input.numel() // 8), dtype=torch.int64).random_(-(1 << 63), None)
        kept = bits.view(torch.uint8)[: input.numel()].view(input.shape) >= dropped
        return input * kept.to(input.dtype).mul_(256 / (256 - dropped))


def is_real(counts: Tensor, total: int) -> Tensor:
    """bool [B, total]: the first `counts` int64 [B] of each row."""
    return torch.arange(total, device=counts.device) < counts[:, None]


def only_real(features: Tensor, counts: Tensor | None) -> Tensor:
    """[B, t, C] with zeros behind the first `counts` int64 [B] of each row, as convolutions pad; None: all are real."""
    return features if counts is None else features.where(is_real(counts, features.shape[1])[..., None], 0)


def adapt_frequency(features: Tensor, frames: int, heard: Tensor | None = None, wanted: Tensor | None = None) -> Tensor:
    """Resample features [B, t, C] along time to [B, frames, C]: linear, first and last frame kept.

    Of padded rows the first `heard` become the first `wanted`, both int64 [B]. UniTalker, section 3.2, "frequency
    adaptor"; one model serves annotations of any frame rate this way.
    """
    if heard is None or wanted is None:
        resampled = functional.interpolate(features.transpose(1, 2), size=frames, mode="linear", align_corners=True)
        return resampled.transpose(1, 2)
    step = (heard - 1) / (wanted - 1).clamp(min=1)
    place = torch.arange(frames, device=features.device) * step[:, None]
    before = torch.minimum(place.long(), heard[:, None] - 1)
    after = torch.minimum(before + 1, heard[:, None] - 1)
    rows = torch.arange(len(features), device=features.device)[:, None]
    share = (place - before).clamp(max=1)[..., None]
    return (features[rows, before] * (1 - share) + features[rows, after] * share).to(features.dtype)


def at_frames(features: Tensor, rate: float, frames: int, fps: float, within: float = 0.0) -> Tensor:
    """Features [B, t, C], `rate` of them a second, at the times of frames: [B, frames, C], linear between features.

    Frame i is at second ``(i + within) / fps``; the last feature is held. Unlike `adapt_frequency`, this does not
    stretch a sound to its motion: a frame gets the same whatever lies behind it, and so the same in every window.
    """
    place = (torch.arange(frames, dtype=torch.float64) + within) * (rate / fps)
    before = place.long().clamp(max=features.shape[1] - 1)
    after = (before + 1).clamp(max=features.shape[1] - 1)
    share = (place - before).clamp(max=1)[:, None].to(features)
    return features[:, before.to(features.device)] * (1 - share) + features[:, after.to(features.device)] * share


class ConvolutionBlock(nn.Module):
    """ReLU(LayerNorm(conv(x)) + skip(x)) over [B, T, C]; the skip is a convolution where the width changes."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width_in, width, kernel_size=3, padding=1)
        self.norm = nn.LayerNorm(width)
        self.skip = nn.Identity() if width_in == width else nn.Conv1d(width_in, width, kernel_size=3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        channels_first = features.transpose(1, 2)
        convolved = self.norm(self.convolution(channels_first).transpose(1, 2))
        return functional.relu(convolved + self.skip(channels_first).transpose(1, 2))


class ConvolutionDecoder(nn.Module):
    """UniTalker's default motion decoder: the identity vector beside the audio at every frame, then three blocks."""

    def __init__(self, audio_width: int, width: int, identities: int, identity_width: int, dropout: float) -> None:
        super().__init__()
        self.identities = identity_table(identities, identity_width)
        self.audio = nn.Linear(audio_width, width)
        self.dropout = Dropout(dropout)
        widths_in = (width + identity_width, width, width)
        self.blocks = nn.Sequential(*(ConvolutionBlock(width_in, width) for width_in in widths_in))

    def forward(self, features: Tensor, identity: Tensor, counts: Tensor | None = None) -> Tensor:
        """Features [B, T, audio width], the first `counts` real, and identity rows int64 [B] to [B, T, width]."""
        audio = self.dropout(self.audio(features))
        style = self.identities(identity)[:, None, :].expand(-1, audio.shape[1], -1)
        hidden = torch.cat((audio, style), dim=2)
        for block in self.blocks:
            hidden = block(only_real(hidden, counts))
        return hidden


class TransformerDecoder(nn.Module):
    """The transformer variant of the motion decoder: one layer that asks the audio frame by frame.

    Positions repeat every `period` frames and attention to the past fades by whole periods (FaceFormer, section 3.3).
    """

    def __init__(self, audio_width: int, width: int, identities: int, period: int, dropout: float) -> None:
        super().__init__()
        self.period = period
        self.identities = identity_table(identities, width)
        self.audio = nn.Linear(audio_width, width)
        self.dropout = Dropout(dropout)
        self.layer = nn.TransformerDecoderLayer(width, ATTENTION_HEADS, 2 * width, dropout, batch_first=True)
        self.register_buffer("positions", sinusoids(period, width))

    def forward(self, features: Tensor, identity: Tensor, counts: Tensor | None = None) -> Tensor:
        """As `ConvolutionDecoder`; no frame looks ahead, so none sees the padding behind its clip."""
        audio = self.audio(features)
        frames = torch.arange(audio.shape[1], device=audio.device)
        positions = self.get_buffer("positions")[frames % self.period]
        queries = self.dropout(self.identities(identity)[:, None, :] + positions)
        past = fading_past(frames, self.period, audio.dtype).repeat(len(audio), 1, 1)
        elsewhere = frames[:, None] != frames[None, :]
        others = torch.zeros_like(elsewhere, dtype=audio.dtype).masked_fill(elsewhere, -math.inf)
        return self.layer(queries, audio, tgt_mask=past, memory_mask=others)


def identity_table(rows: int, width: int) -> nn.Embedding:
    """One learnt vector per voice."""
    weight = torch.empty(rows, width)
    if not weight.is_meta:  # normal numbers on the meta device make torch import its compiler, which takes a second
        nn.init.normal_(weight)
    return nn.Embedding.from_pretrained(weight, freeze=False)


def sinusoids(positions: int, width: int) -> Tensor:
    """float32 [positions, width]: sine in the even, cosine in the odd channels (Vaswani et al. 2017, section 3.5)."""
    pairs = torch.arange(0, width, 2)
    angles = torch.arange(positions)[:, None] * torch.exp(pairs * (-math.log(10000.0) / width))
    table = torch.zeros(positions, width)
    table[:, 0::2] = torch.sin(angles)
    table[:, 1::2] = torch.cos(angles)[:, : width // 2]
    return table


def fading_past(frames: Tensor, period: int, dtype: torch.dtype) -> Tensor:
    """[heads, T, T] to add to attention scores: -inf for the future, minus slope times whole periods for the past."""
    slopes = torch.exp2(-2.0 * torch.arange(1, ATTENTION_HEADS + 1, dtype=dtype, device=frames.device))
    distance = frames[:, None] - frames[None, :]
    periods = torch.div(distance, period, rounding_mode="floor").to(dtype)
    return (-slopes[:, None, None] * periods).masked_fill(distance < 0, -math.inf)


class PrincipalComponents(nn.Module):
    """A fixed linear basis of face motion (UniTalker, section 3.3); coefficients are not whitened.

    Never in half precision, however little of it the layers around it need: a face is a sum of hundreds of components.
    """

    def __init__(self, components: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("components", torch.zeros(components, dim))
        self.register_buffer("mean", torch.zeros(dim))

    def encode(self, offsets: Tensor) -> Tensor:
        """Offsets from the template [..., dim] to coefficients [..., components]."""
        with torch.autocast(offsets.device.type, enabled=False):
            return (offsets - self.get_buffer("mean")) @ self.get_buffer("components").T

    def decode(self, coefficients: Tensor) -> Tensor:
        """Coefficients [..., components] to offsets from the template [..., dim]."""
        components = self.get_buffer("components")
        with torch.autocast(coefficients.device.type, enabled=False):
            return coefficients.to(components.dtype) @ components + self.get_buffer("mean")


def output_layers(width: int, rows: int, layers: int) -> nn.Sequential:
    """`layers` linear maps with tanh between them; a single one starts at zero, as the official code does."""
    hidden = [module for _ in range(layers - 1) for module in (nn.Linear(width, width), nn.Tanh())]
    last = nn.Linear(width, rows)
    if not hidden:
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return nn.Sequential(*hidden, last)


def frozen(tensor: Tensor) -> nn.Parameter:
    """A weight that nobody trains."""
    return nn.Parameter(tensor.detach(), requires_grad=False)
