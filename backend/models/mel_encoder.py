# SPDX-License-Identifier: GPL-3.0-or-later
"""The small encoder of the default model: a log-mel spectrogram and a few convolutions, trained from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .context import Context, loud_and_quiet, shares_of
from .formants import Formants
from .layers import Dropout, Lengths, is_real, only_real
from .mel_filters import RATE, TRANSFORM, WARPS, warped_filters
from .noise_floor import above_floor

WINDOW = 400
HOP = 160
FEATURE_RATE = RATE / (2 * HOP)
"""Features per second."""
DYNAMICS = 30.0
"""Decibels around the level of the speech that become one unit of input."""


@dataclass(frozen=True)
class MelEncoderConfig:
    """Sizes of a MelEncoder."""

    kind: Literal["mel"] = "mel"
    width: int = 128
    blocks: int = 5
    bands: int = 80
    kernel: int = 9
    dilations: tuple[int, ...] = (1,)
    """Dilation of each block's convolution, repeated as often as there are blocks."""
    emphasis: float = 0.0
    """Share of the sample before that is taken off, so that rumble and wind below the voice do not count as loud."""
    quietest: float = -50.0
    """dB of the band energies; softer sound counts as room noise however even it is."""
    formants: int = 0
    """Channels of convolutions over bands and time (`Formants`) in front; 0: over time only, as it once was."""
    above_floor: bool = False
    """`formants` see a second picture of the sound: how far each band is above its own floor (`above_floor`)."""
    context: int = 0
    """Numbers by which every block hears what the whole clip is like (`Context`); 0: it hears its own frames only."""
    dropout: float = 0.0
    skip: float = 0.0
    """In training: how often the last block is left out, earlier ones less (stochastic depth, Huang et al. 2016)."""
    warp: float = 0.0
    """In training: the largest stretch of the frequency axis, as with longer and shorter vocal tracts."""
    masked_bands: int = 0
    """In training: the widest run of bands that is left out (SpecAugment, Park et al. 2019)."""
    masked_frames: int = 0
    """In training: the longest run of 10 ms frames that is left out."""
    masks: int = 1
    """In training: how many such runs there are of each kind."""

    def __post_init__(self) -> None:
        if min(self.width, self.blocks, self.bands, self.kernel) < 1 or self.width > 8192 or self.bands > TRANSFORM:
            raise ValueError(f"a mel encoder is 1 to 8192 numbers wide and has 1 to {TRANSFORM} bands")
        if self.blocks > 64 or self.kernel > 255 or self.kernel % 2 == 0:
            raise ValueError("a mel encoder has at most 64 blocks and an odd kernel of at most 255")
        if not self.dilations or not all(1 <= dilation <= 64 for dilation in self.dilations):
            raise ValueError("the dilations of a mel encoder are whole numbers from 1 to 64")
        if not 0 <= self.context <= 8192:
            raise ValueError("the context of a mel encoder is 0 to 8192 numbers")
        if not 0 <= self.formants <= 1024:
            raise ValueError("a mel encoder hears formants through 0 to 1024 channels")
        if self.above_floor and not self.formants:
            raise ValueError("only the formants of a mel encoder can hear what is above the floor")
        if not 0 <= self.masks <= 64:
            raise ValueError("a mel encoder masks 0 to 64 runs of bands and of frames")
        if not (
            0 <= self.emphasis <= 1
            and 0 <= self.warp < 0.5
            and max(self.dropout, self.skip) < 1
            and min(self.dropout, self.skip) >= 0
            and min(self.masked_bands, self.masked_frames) >= 0
        ):
            raise ValueError(
                "a mel encoder emphasises by at most 1, warps by less than 0.5, drops and skips a part, masks 0 or more"
            )


class MelEncoder(nn.Module):
    """Audio to features at 50 Hz.

    Not causal; sees about half a second to both sides with the usual sizes. In training mode it varies what it hears
    by the amounts in its config.
    """

    def __init__(self, config: MelEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.width = config.width
        with torch.device("cpu"):  # model files are read into modules without storage; constants need theirs
            self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
            filters = warped_filters(config.bands, config.warp).repeat_interleave(2, dim=-1)
            self.register_buffer("filters", filters, persistent=False)  # for real and imaginary parts in turn
        if config.formants:
            spectra = 1 + config.above_floor
            self.formants = Formants(config.bands, config.formants, config.width, config.dropout, spectra)
        else:
            self.onset = nn.Conv1d(config.bands, config.width, kernel_size=3, padding=1)
            self.stem = nn.Conv1d(config.width, config.width, kernel_size=5, stride=2, padding=2)
        self.room = Context(config.bands, config.context, config.width, config.dropout) if config.context else None
        self.blocks = nn.ModuleList(Block(config, index) for index in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, audio: Tensor, lengths: Lengths | None = None, level: Tensor | None = None) -> Tensor:
        """Audio float32 [B, n] at 16 kHz to features [B, ~n/320, width].

        `level` in dB, [B, 1, 1], of the speech in a longer sound that this is a piece of (`level_of` its `loudness`).
        """
        mels = None if lengths is None else lengths.samples // HOP + 1
        counts = None if lengths is None else self.feature_count(lengths.samples)
        spectrum = self.spectrum(audio, mels, level)
        if self.training:
            spectrum = self._masked(spectrum, mels)
        parts = None if self.room is None else loud_and_quiet(spectrum, mels)
        features = self._front(spectrum, parts, mels, counts)
        shares = None if parts is None else shares_of(parts[:, ::2])
        for block in self.blocks:
            features = block(features, counts, shares)
        return self.norm(features)

    def _front(self, spectrum: Tensor, parts: Tensor | None, mels: Tensor | None, counts: Tensor | None) -> Tensor:
        """[B, ~t/2, width]: a spectrum [B, bands, t] at half its rate, in its room."""
        if self.config.formants:
            seen = [spectrum, above_floor(spectrum, DYNAMICS, mels)] if self.config.above_floor else [spectrum]
            return self._in_room(self.formants(torch.stack(seen, dim=1), mels, counts), spectrum, parts)
        heard = self._in_room(self.onset(spectrum).transpose(1, 2), spectrum, parts)
        return self.stem(only_real(functional.gelu(heard), mels).transpose(1, 2)).transpose(1, 2)

    def _in_room(self, features: Tensor, spectrum: Tensor, parts: Tensor | None) -> Tensor:
        if self.room is None or parts is None:
            return features
        return self.room(features, spectrum.transpose(1, 2), shares_of(parts))

    def multiply_in(self, kind: torch.dtype) -> None:
        """From now on the large products, of the formants and of the blocks' wide layers, are of this type.

        More than nine in ten multiplications are in them. All sums between blocks and all norms stay in float32.
        Of no use for training.
        """
        if self.config.formants:
            self.formants.multiply_in(kind)
        for block in self.blocks:
            cast("Block", block).widen.to(kind)
            cast("Block", block).narrow.to(kind)

    def feature_count(self, samples: Tensor) -> Tensor:
        """Features that clips of so many samples give; int64 [B] both."""
        return samples // HOP // 2 + 1

    def spectrum(self, audio: Tensor, mels: Tensor | None = None, level: Tensor | None = None) -> Tensor:
        """[B, bands, ~n/160]: log-mel at 100 Hz, 0 at the level of the speech, -2 for whatever is far below it.

        Of padded clips the first `mels` int64 [B] frames are real; the others are 0.
        """
        decibels = self._decibels(audio)
        level = self.level_of(decibels.amax(dim=1), mels) if level is None else level
        units = ((decibels - level) / DYNAMICS).clamp(min=-2)
        return only_real(units.transpose(1, 2), mels).transpose(1, 2)

    def loudness(self, audio: Tensor) -> Tensor:
        """Of the loudest band at 100 Hz, in dB: [B, ~n/160]."""
        return self._decibels(audio).amax(dim=1)

    def level_of(self, loudness: Tensor, mels: Tensor | None = None) -> Tensor:
        """[B, 1, 1]: how loud the loudest twentieth (at least 0.3 s) is, so that long pauses do not count."""
        length = loudness.shape[1]
        counts = torch.full((1,), length, device=loudness.device) if mels is None else mels
        loudest = loudness.where(is_real(counts, length), -torch.inf).sort(dim=1, descending=True).values
        kept = torch.minimum((counts // 20).clamp(min=30), counts)
        power = (10 ** (loudest / 10)).where(is_real(kept, length), 0).sum(dim=1) / kept
        return (10 * torch.log10(power)).clamp(min=self.config.quietest)[:, None, None]

    def _decibels(self, audio: Tensor) -> Tensor:
        window = self.get_buffer("window")
        emphasised = functional.pad(audio[:, 1:] - self.config.emphasis * audio[:, :-1], (1, 0))
        transform = torch.stft(
            emphasised, TRANSFORM, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True
        )
        parts = torch.view_as_real(transform.transpose(1, 2)).square_().flatten(2)  # [B, t, 2 * bins]
        energy = (parts @ self._filters(len(audio)).transpose(-1, -2)).transpose(1, 2)
        return 10 * torch.log10(energy + 1e-10)

    def _filters(self, batch: int) -> Tensor:
        """One filter bank for all, or in training one for each item."""
        filters = self.get_buffer("filters")
        if not self.training or self.config.warp == 0:
            return filters[WARPS // 2]
        return filters[torch.randint(WARPS, (batch,), device=filters.device)]

    def _masked(self, spectrum: Tensor, mels: Tensor | None) -> Tensor:
        batch, bands, length = spectrum.shape
        hidden = torch.zeros_like(spectrum, dtype=torch.bool)
        for _ in range(self.config.masks):
            hidden |= _runs(batch, bands, self.config.masked_bands, spectrum.device)[:, :, None]
            hidden |= _runs(batch, length, self.config.masked_frames, spectrum.device)[:, None]
        average = spectrum.mean(dim=(1, 2), keepdim=True)
        if mels is not None:
            hidden = hidden & is_real(mels, spectrum.shape[2])[:, None]
            average = average * (spectrum.shape[2] / mels)[:, None, None]
        return torch.where(hidden, average, spectrum)


class Block(nn.Module):
    """A residual block over [B, t, width]: a convolution per channel, then a wider layer at every frame (ConvNeXt).

    In training it is left out for some clips of a batch, drawn anew each time, and computed for the others alone.
    """

    def __init__(self, config: MelEncoderConfig, index: int) -> None:
        super().__init__()
        width, dilation = config.width, config.dilations[index % len(config.dilations)]
        padding = config.kernel // 2 * dilation
        self.along_time = nn.Conv1d(width, width, config.kernel, padding=padding, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)
        self.dropout = Dropout(config.dropout)
        self.skip = config.skip * (index + 1) / config.blocks
        self.context = Context(width, config.context, width, config.dropout) if config.context else None

    def forward(self, features: Tensor, counts: Tensor | None = None, shares: Tensor | None = None) -> Tensor:
        """Features [B, t, width], the first `counts` real; `shares` (`shares_of`) for the clip's context."""
        if not self.training or self.skip == 0:
            return features + self._added(features, counts, shares)
        kept = (torch.rand(len(features)) >= self.skip).nonzero()[:, 0].to(features.device)
        if len(kept) == 0:
            return features
        counts, shares = (None if each is None else each[kept] for each in (counts, shares))
        added = self._added(features[kept], counts, shares)
        return features.index_add(0, kept, added, alpha=1 / (1 - self.skip))

    def _added(self, features: Tensor, counts: Tensor | None, shares: Tensor | None) -> Tensor:
        mixed = self.norm(per_channel(self.along_time, only_real(features, counts)))
        if self.context is not None and shares is not None:
            mixed = self.context(mixed, mixed, shares)
        wide = functional.gelu(self.widen(mixed.to(self.widen.weight.dtype)))
        return self.dropout(self.narrow(wide)).to(features.dtype)


def per_channel(convolution: nn.Conv1d, features: Tensor) -> Tensor:
    """What a convolution with one odd filter per channel makes of [B, t, C], as long as before.

    Channels stay next to each other in memory, and every `dilation`th frame becomes a row of an image along which an
    undilated filter runs: torch's own way through dilated, strided channels takes a CPU up to seven times as long.
    """
    rows, reach = convolution.dilation[0], convolution.kernel_size[0] // 2
    batch, length, channels = features.shape
    padded = functional.pad(features, (0, 0, 0, -length % rows))
    image = padded.reshape(batch, -1, rows, channels).permute(0, 3, 1, 2)
    mixed = functional.conv2d(
        image, convolution.weight[..., None], convolution.bias, padding=(reach, 0), groups=channels
    )
    return mixed.permute(0, 2, 3, 1).reshape(padded.shape)[:, :length]


def _runs(batch: int, length: int, longest: int, device: torch.device) -> Tensor:
    """bool [batch, length]: one run of up to `longest` places in each row."""
    places = torch.arange(length, device=device)
    size = (torch.rand(batch, 1, device=device) * (longest + 1)).long()
    start = (torch.rand(batch, 1, device=device) * (length - size).clamp(min=1)).long()
    return (places >= start) & (places < start + size)
