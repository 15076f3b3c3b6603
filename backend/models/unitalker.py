# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker (Fan et al., ECCV 2024): one speech encoder and motion decoder, one output head per FaceSpace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from .audio_encoder import EncoderConfig, build_encoder
from .layers import (
    ConvolutionDecoder,
    Lengths,
    PrincipalComponents,
    TransformerDecoder,
    adapt_frequency,
    output_layers,
)
from .speech_config import SpeechEncoderConfig


@dataclass(frozen=True)
class HeadConfig:
    """The output head of one FaceSpace."""

    space: str
    dim: int
    """Numbers per frame of the space."""
    components: int = 0
    """PCA coefficients that the head gives; 0: it gives the space's numbers themselves."""
    layers: int = 1
    has_template: bool = False
    """The model keeps a neutral face that `predict` adds."""

    def __post_init__(self) -> None:
        if not self.space or "." in self.space:
            raise ValueError(f"{self.space!r} cannot be the name of a face space")
        if not 1 <= self.dim <= 1 << 22 or not 0 <= self.components <= self.dim or not 1 <= self.layers <= 16:
            raise ValueError(f"the head of {self.space} has impossible sizes")


@dataclass(frozen=True)
class AuxiliaryConfig:
    """A linear reading of the encoder's features: trained along with the motion, read by `UniTalker.read`."""

    name: str
    dim: int

    def __post_init__(self) -> None:
        if not self.name or "." in self.name or not 1 <= self.dim <= 65536:
            raise ValueError(f"{self.name!r} with {self.dim} outputs cannot be an auxiliary head")


@dataclass(frozen=True)
class UniTalkerConfig:
    """Everything that a UniTalker is built from; kept in its model file."""

    encoder: EncoderConfig
    decoder: Literal["conv", "transformer"]
    decoder_dimension: int
    identity_count: int
    """Rows of the identity table; the last one is the pivot that stands for nobody in particular."""
    heads: tuple[HeadConfig, ...]
    identity_width: int = 64
    """Width of an identity row in the convolution decoder; the transformer's rows are as wide as the decoder."""
    interpolate_position: Literal[0, 1, 2] = 1
    """Where time is resampled: 0 before the encoder's transformer, 1 behind it, 2 behind the motion decoder."""
    period: int = 30
    """Frames after which the transformer decoder's positions repeat."""
    dropout: float = 0.1
    auxiliary: tuple[AuxiliaryConfig, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.decoder_dimension, self.identity_count, self.identity_width, self.period)
        if min(sizes) < 1 or max(sizes) > 65536 or not 0 <= self.dropout < 1:
            raise ValueError("the sizes of a UniTalker are whole numbers from 1 to 65536")
        names = [head.space for head in self.heads] + [head.name for head in self.auxiliary]
        if not self.heads or len(set(names)) != len(names):
            raise ValueError("a UniTalker needs at least one head, each with a name of its own")
        if self.decoder == "transformer" and self.decoder_dimension % 4:
            raise ValueError("the width of a transformer decoder must be a multiple of 4")
        if self.interpolate_position == 0 and not isinstance(self.encoder, SpeechEncoderConfig):
            raise ValueError("only a speech encoder can resample time in front of its transformer (position 0)")


class Prediction(NamedTuple):
    """What a forward pass gives; t is the encoder's own frame count (about 50 a second)."""

    values: Tensor
    """[B, frames, dim]: numbers of the face space, with the template added."""
    coefficients: Tensor | None
    """[B, frames, components] for a head with PCA."""
    features: Tensor
    """[B, t, encoder width], or [B, frames, width] when time is resampled inside the encoder."""
    aligned: Tensor
    """[B, frames, encoder width] for positions 0 and 1, the same as `features` for 2."""
    hidden: Tensor
    """[B, frames, decoder dimension]."""
    auxiliary: dict[str, Tensor]
    """[B, t, dim] per auxiliary head, read from `features`."""


class Head(nn.Module):
    """Hidden frames to the numbers of one FaceSpace."""

    def __init__(self, config: HeadConfig, width: int) -> None:
        super().__init__()
        self.layers = output_layers(width, config.components or config.dim, config.layers)
        self.basis = PrincipalComponents(config.components, config.dim) if config.components else None
        self.register_buffer("template", torch.zeros(config.dim) if config.has_template else None)

    def forward(self, hidden: Tensor, template: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Hidden [B, frames, width] to values [B, frames, dim] and PCA coefficients, where the head has them."""
        output = self.layers(hidden)
        values = output if self.basis is None else self.basis.decode(output)
        if template is not None:
            values = values + template
        return values, None if self.basis is None else output


class UniTalker(nn.Module):
    """The model; UniTalker paper, sections 3.2 to 3.4."""

    def __init__(self, config: UniTalkerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.decoder_dimension
        self.encoder = build_encoder(config.encoder)
        self.decoder = build_decoder(config, self.encoder.width)
        self.heads = nn.ModuleDict({head.space: Head(head, width) for head in config.heads})
        self.auxiliary = nn.ModuleDict(
            {head.name: nn.Linear(self.encoder.width, head.dim) for head in config.auxiliary}
        )

    @torch.no_grad()
    def predict(self, audio: Tensor, space: str, frames: int, identity: Tensor | None = None) -> Tensor:
        """Animate a face.

        `audio` float32 [B, n] at 16 kHz; `space` the name of a head; `identity` int64 [B] rows, None for the pivot.
        Returns float32 [B, frames, dim], the space's template added where the model has one.
        """
        return self(audio, space, frames, identity, self.template(space)).values

    @torch.no_grad()
    def read(self, audio: Tensor) -> dict[str, Tensor]:
        """What the auxiliary heads say of audio float32 [B, n] at 16 kHz: [B, t, dim] by name, about 50 a second."""
        if self.config.interpolate_position == 0:
            features = self.encoder(audio, None, round(audio.shape[1] / 320))
        else:
            features = self.encoder(audio)
        return self.readings(features)

    def readings(self, features: Tensor) -> dict[str, Tensor]:
        """What the auxiliary heads say of the encoder's features [B, t, encoder width]: [B, t, dim] by name."""
        return {name: head(features) for name, head in self.auxiliary.items()}

    def forward(
        self,
        audio: Tensor,
        space: str,
        frames: int,
        identity: Tensor | None = None,
        template: Tensor | None = None,
        lengths: Lengths | None = None,
    ) -> Prediction:
        """As `predict`, with everything in between and the template (broadcast to [B, frames, dim]) from outside.

        `lengths` of clips that are padded to the longest; None where all fill the batch.
        """
        position = self.config.interpolate_position
        heard = None if lengths is None else self.encoder.feature_count(lengths.samples)
        wanted = None if lengths is None else lengths.frames
        features = self.encoder(audio, lengths, frames) if position == 0 else self.encoder(audio, lengths)
        aligned = adapt_frequency(features, frames, heard, wanted) if position == 1 else features
        rows = self._rows(identity, len(audio), audio.device)
        hidden = self.decoder(aligned, rows, heard if position == 2 else wanted)
        if position == 2:
            hidden = adapt_frequency(hidden, frames, heard, wanted)
        values, coefficients = self.heads[space](hidden, template)
        return Prediction(values, coefficients, features, aligned, hidden, self.readings(features))

    def template(self, space: str) -> Tensor | None:
        """float32 [dim]: the neutral face of a space, in the model's own unit; None where the model keeps none."""
        return self.heads[space].get_buffer("template")

    def encode(self, motion: Tensor, space: str, template: Tensor | None = None) -> Tensor:
        """Motion [B, frames, dim] to the PCA coefficients [B, frames, components] that the space's head should give."""
        basis = cast("Head", self.heads[space]).basis
        if basis is None:
            raise ValueError(f"the head of {space} has no PCA basis")
        return basis.encode(motion if template is None else motion - template)

    def _rows(self, identity: Tensor | None, batch: int, device: torch.device) -> Tensor:
        if identity is None:
            return torch.full((batch,), self.config.identity_count - 1, device=device)
        return identity


def build_decoder(config: UniTalkerConfig, audio_width: int) -> ConvolutionDecoder | TransformerDecoder:
    """The motion decoder that a config names."""
    width, identities = config.decoder_dimension, config.identity_count
    if config.decoder == "transformer":
        return TransformerDecoder(audio_width, width, identities, config.period, config.dropout)
    return ConvolutionDecoder(audio_width, width, identities, config.identity_width, config.dropout)
