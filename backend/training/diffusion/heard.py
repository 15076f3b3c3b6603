# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model hears in the clips of data sets, computed once and kept in memory while its encoder stays as it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from backend.models.diffusion_talker import DiffusionTalker
from backend.training.motion.batches import Source


class HeardClip(NamedTuple):
    """One clip as training needs it when its sound is not needed any more."""

    features: np.ndarray
    """float16 [frames, encoder width]: what is heard at every frame."""
    motion: np.ndarray
    """float32 [frames, dim] in the model's unit."""
    template: np.ndarray
    """float32 [dim]."""
    fps: float


class Heard:
    """The clips that were asked for so far. A minute of motion takes about a megabyte."""

    def __init__(self, model: DiffusionTalker) -> None:
        self.model = model
        self._clips: dict[tuple[str, str], HeardClip] = {}

    def clip(self, source: Source) -> HeardClip:
        """A clip and what is heard in it. Raises CorpusError, naming the file, for a broken one."""
        key = (source.prepared.name, source.clip.name)
        if key not in self._clips:
            self._clips[key] = self._listened(source)
        return self._clips[key]

    @torch.no_grad()
    def _listened(self, source: Source) -> HeardClip:
        clip = source.prepared.load(source.clip)
        device = next(self.model.parameters()).device
        self.model.encoder.eval()
        features = self.model.hear(torch.from_numpy(clip.samples).to(device)[None])
        aligned = self.model.aligned(features, len(clip.motion), clip.fps)[0].half().cpu().numpy()
        return HeardClip(aligned, clip.motion, clip.template, clip.fps)
