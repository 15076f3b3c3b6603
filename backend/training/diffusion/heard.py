# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model hears in the clips of data sets, computed once while its encoder stays as it is.

It is kept in memory, and in the folder of the prepared set for the students and for runs that go on:
heard/FINGERPRINT/NAME.npy, float16 [frames, encoder width], by the fingerprint of the encoder's weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from backend.models.diffusion_talker import DiffusionTalker
from backend.training.motion.batches import Source
from backend.training.motion.clip import Clip
from backend.training.motion.clip_writer import write_array
from backend.training.motion.contents import of_tensors

FOLDER = "heard"


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
        self._fingerprint = of_tensors(model.encoder)
        self._clips: dict[tuple[str, str], HeardClip] = {}

    def clip(self, source: Source) -> HeardClip:
        """A clip and what is heard in it. Raises CorpusError, naming the file, for a broken one."""
        key = (source.prepared.name, source.clip.name)
        if key not in self._clips:
            self._clips[key] = self._listened(source)
        return self._clips[key]

    def _listened(self, source: Source) -> HeardClip:
        prepared, clip = source
        path = prepared.folder / FOLDER / self._fingerprint / f"{clip.name}.npy"
        if not path.is_file():
            write_array(path, self._features(prepared.load(clip)))
        motion = np.array(prepared.motion(clip), np.float32)
        return HeardClip(np.load(path), motion, prepared.template(clip), clip.fps)

    @torch.no_grad()
    def _features(self, clip: Clip) -> np.ndarray:
        device = next(self.model.parameters()).device
        self.model.encoder.eval()
        features = self.model.hear(torch.from_numpy(clip.samples).to(device)[None])
        return self.model.aligned(features, len(clip.motion), clip.fps)[0].half().cpu().numpy()
