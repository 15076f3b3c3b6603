# SPDX-License-Identifier: GPL-3.0-or-later
"""The contrastive personalizer of DiffusionTalker: who speaks and in what mood, as one embedding that audio can find.

From the papers: learnable identity embeddings that are pulled towards the audio of the same person by contrast (2023
version), emotion embeddings fused with them by attention, and the enhancer that compares the embedding with the upper
face of the prediction (2025 version). How each is built is not published; everything below that level is our choice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import identity_table, is_real

FIRST_TEMPERATURE = 0.07
_COLDEST = 0.01


class Personalizer(nn.Module):
    """Tables of people and moods, their fusion, and what hears a person in audio."""

    def __init__(self, identities: int, emotions: int, width: int, audio_width: int) -> None:
        super().__init__()
        self.identities = identity_table(identities, width)
        """The last row stands for nobody in particular."""
        self.emotions = identity_table(emotions, width)
        """The first row is the usual mood."""
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.listener = pooled_reader(audio_width, width)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(FIRST_TEMPERATURE)))

    def fused(self, identity: Tensor, emotion: Tensor | None = None) -> Tensor:
        """The personalised embedding [B, width] of identity vectors [B, width] and weights of moods [B, emotions].

        The identity asks the moods: a weight multiplies a mood's attention before it is normalised, so that a mood of
        weight 0 is not heard at all. None is the first mood alone.
        """
        person = of_unit_size(identity)
        if emotion is None:
            emotion = functional.one_hot(torch.zeros(len(person), dtype=torch.long), self.emotions.num_embeddings)
        moods = of_unit_size(self.emotions.weight)
        scores = self.query(person) @ self.key(moods).T / math.sqrt(moods.shape[1])
        shares = torch.softmax(scores + emotion.to(scores).log(), dim=1)
        return of_unit_size(person + shares @ self.value(moods))

    def heard(self, features: Tensor, counts: Tensor | None = None) -> Tensor:
        """The identity vector [B, width] heard in audio features [B, t, audio width], the first `counts` int64 [B]."""
        return of_unit_size(self.listener(pooled(features, counts)))

    def nearest(self, heard: Tensor) -> Tensor:
        """int64 [B]: the row, without the last, whose personalised embedding is most like each heard vector."""
        known = self.fused(self.identities.weight[:-1])
        return (of_unit_size(heard) @ known.T).argmax(dim=1)

    def temperature(self) -> Tensor:
        """What similarities are divided by in the contrast; learnt, scalar."""
        return self.log_temperature.exp().clamp(min=_COLDEST)


class UpperFaceReader(nn.Module):
    """The enhancer: reads a personalised embedding off the upper face of a motion. Only training looks at it."""

    def __init__(self, upper_face: Mapping[str, tuple[int, ...]], width: int) -> None:
        """`upper_face`: by FaceSpace, which of its numbers belong to brows, eyes and forehead."""
        super().__init__()
        self.upper_face = dict(upper_face)
        self.readers = nn.ModuleDict(
            {space: pooled_reader(len(numbers), width) for space, numbers in self.upper_face.items()}
        )

    def forward(self, motion: Tensor, space: str, counts: Tensor | None = None) -> Tensor:
        """Motion [B, frames, dim] of a space with an upper face to embeddings [B, width]."""
        return of_unit_size(self.readers[space](pooled(motion[..., list(self.upper_face[space])], counts)))


def pooled_reader(width_in: int, width: int) -> nn.Sequential:
    """From the mean and deviation over time to an embedding."""
    return nn.Sequential(
        nn.LayerNorm(2 * width_in), nn.Linear(2 * width_in, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
    )


def pooled(features: Tensor, counts: Tensor | None = None) -> Tensor:
    """Mean and standard deviation [B, 2 C] of [B, t, C] over the first `counts` int64 [B] times; None: over all."""
    counts = torch.full((len(features),), features.shape[1], device=features.device) if counts is None else counts
    real, divisor = is_real(counts, features.shape[1])[..., None], counts[:, None]
    mean = features.where(real, 0).sum(dim=1) / divisor
    variance = (features - mean[:, None]).where(real, 0).square().sum(dim=1) / divisor
    return torch.cat((mean, (variance + 1e-8).sqrt()), dim=1)


def of_unit_size(vectors: Tensor) -> Tensor:
    """Vectors [..., W] at a root mean square of 1, so that only their direction says something."""
    return functional.normalize(vectors, dim=-1) * math.sqrt(vectors.shape[-1])
