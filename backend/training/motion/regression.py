# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotated motion: batches of clips of one FaceSpace, and the task to predict it (UniTalker, sections 3.2 to 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from backend.face import FaceSpace
from backend.models.layers import Lengths
from backend.models.unitalker import UniTalker
from backend.training.task import Parts
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .clip import Clip
from .losses import motion_losses, squared_error

PIVOT_PROBABILITY = 0.1
"""UniTalker, section 3.3."""


@dataclass(frozen=True)
class MotionBatch:
    """Clips of one FaceSpace, padded with zeros to the longest."""

    space: str
    audio: Tensor
    """float32 [B, n] at 16 kHz."""
    values: Tensor
    """float32 [B, T, dim] in the model's unit."""
    template: Tensor
    """float32 [B, 1, dim] in the model's unit: what the model's output is added to."""
    identity: Tensor
    """int64 [B]: rows of the identity table."""
    lengths: Lengths
    """What of `audio` and `values` is no padding."""
    is_padded: bool = False
    """Whether any clip is shorter than the batch."""
    data_sets: tuple[str, ...] = ()
    """Names of those that the clips are from."""

    @property
    def origin(self) -> str:
        return f"clips of {', '.join(self.data_sets) or self.space}"

    def to(self, device: torch.device) -> MotionBatch:
        """The same batch with its tensors on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("audio", "values", "template", "identity")}
        return replace(self, **moved, lengths=Lengths(*(counts.to(device) for counts in self.lengths)))


def collate(space: str, clips: Sequence[Clip], identity: Sequence[int]) -> MotionBatch:
    """One batch of clips that are all of the same space."""
    audio = [torch.from_numpy(clip.samples) for clip in clips]
    values = [torch.from_numpy(clip.motion) for clip in clips]
    lengths = Lengths(torch.tensor([len(sound) for sound in audio]), torch.tensor([len(motion) for motion in values]))
    return MotionBatch(
        space,
        pad_sequence(audio, batch_first=True),
        pad_sequence(values, batch_first=True),
        torch.from_numpy(np.stack([clip.template for clip in clips]))[:, None],
        torch.tensor(identity),
        lengths,
        is_padded=any(len({len(part) for part in parts}) > 1 for parts in (audio, values)),
    )


def with_pivot(identity: Tensor, pivot: int, random: np.random.Generator, probability: float) -> Tensor:
    """Identity rows int64 [B], each replaced by the pivot's with a probability."""
    is_pivot = torch.from_numpy(random.random(len(identity)) < probability)
    return identity.masked_fill(is_pivot.to(identity.device), pivot)


class Regression:
    """Regression of annotated motion in any FaceSpace the model has a head for."""

    def __init__(
        self, model: UniTalker, spaces: Mapping[str, FaceSpace], finally_learn: Parts = "all", decoder_steps: int = 0
    ) -> None:
        """`spaces` by name; one with a mesh is also compared vertex by vertex. The decoder may learn alone at first."""
        self.model = model
        self.spaces = spaces
        self.finally_learn: Parts = finally_learn
        self.decoder_steps = decoder_steps

    def parts(self, step: int) -> Parts:
        """The decoder first, so that what it does not know yet does not spoil the encoder (UniTalker, section 3.3)."""
        return "decoder" if self.finally_learn == "all" and step < self.decoder_steps else self.finally_learn

    def step(self, batch: MotionBatch) -> dict[str, Tensor]:
        """Losses `motion`, `weights` (blendshapes) and `coefficients` (heads with PCA)."""
        model, frames = self.model, batch.lengths.frames
        # a frozen encoder must not drop anything at random either
        model.encoder.train(model.training and any(parameter.requires_grad for parameter in model.encoder.parameters()))
        prediction = model(
            batch.audio,
            batch.space,
            batch.values.shape[1],
            batch.identity,
            batch.template,
            batch.lengths if batch.is_padded else None,
        )
        with torch.autocast(batch.audio.device.type, enabled=False):  # losses of small differences need all digits
            losses = motion_losses(self.spaces[batch.space], prediction.values.float(), batch.values, frames)
            if prediction.coefficients is not None:
                wanted = model.encode(batch.values, batch.space, batch.template)
                losses["coefficients"] = squared_error(prediction.coefficients.float(), wanted, frames)
        return losses
