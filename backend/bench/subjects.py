# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: the shipped model, and the papers' models at full size with random weights; and a sound.

``python -m backend.bench.subjects NAME FILE`` writes a model's file: in a process of its own, so that the memory that
takes is not counted with what is measured.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from backend.windows import SAMPLE_RATE

if TYPE_CHECKING:
    from backend.face import FaceSpace
    from backend.models.audio_encoder import EncoderConfig
    from backend.models.diffusion_talker import DiffusionTalker
    from backend.models.speech_config import SpeechEncoderConfig
    from backend.models.unitalker import UniTalker

STEPS = 8


@dataclass(frozen=True)
class Subject:
    """One model to measure."""

    name: str
    title: str
    is_big: bool = False
    """It has a speech encoder that the plain one of transformers can be measured beside."""


SUBJECTS = (
    Subject("default", "Default model"),
    Subject("diffusion", f"DiffusionTalker, {STEPS} steps"),
    Subject("unitalker-b", "UniTalker-B", is_big=True),
    Subject("unitalker-l", "UniTalker-L", is_big=True),
)


def babble(seconds: float) -> np.ndarray:
    """Sound that rises and falls like syllables, the same every ten seconds: float32 [n] at 16 kHz."""
    time_axis = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(len(time_axis))
    syllables = noise * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * time_axis))
    return np.resize(syllables.astype(np.float32), round(seconds * SAMPLE_RATE))


def unitalker(name: str) -> tuple[UniTalker, list[FaceSpace]]:
    """UniTalker as released, without weights: every head and PCA basis of the official checkpoint."""
    import torch
    from backend import face
    from backend.foreign import official
    from backend.models.unitalker import UniTalker

    encoder, facts = released_encoder(name), official.ANNOTATIONS
    layout = official.Layout(encoder, "conv", 256, 935, 1, 512, 1, 30, facts, official.DATA_SETS)
    rows = {f"out_head_dict.{space}.weight": (512 if each.pca else each.dim, 256) for space, each in facts.items()}
    with torch.device("meta"):
        model = UniTalker(official.unitalker_config(layout, rows, ()))
    spaces = [face.annotation(head.space, head.dim, facts[head.space].fps) for head in model.config.heads]
    return fill(model), spaces


def released_encoder(name: str) -> SpeechEncoderConfig:
    """What the released UniTalker of this name hears with."""
    from backend.models.speech_config import WAV2VEC2_XLSR_53, WAVLM_BASE_PLUS

    return WAVLM_BASE_PLUS if name == "unitalker-b" else WAV2VEC2_XLSR_53


def diffusion_talker(encoder: EncoderConfig) -> DiffusionTalker:
    """A DiffusionTalker of the usual size for ARKit controls, whose mouth follows from what is heard."""
    from backend.face import ARKIT_CHANNELS
    from backend.models.diffusion_talker import DiffusionTalker
    from backend.models.talker_config import DiffusionTalkerConfig, RegionConfig
    from backend.models.unitalker import HeadConfig

    mouth = (place for place, name in enumerate(ARKIT_CHANNELS) if name.startswith(("jaw", "mouth", "tongue")))
    decided = (RegionConfig("arkit", tuple(mouth)),)
    config = DiffusionTalkerConfig(encoder, 2, (HeadConfig("arkit", 52),), steps=STEPS, decided=decided)
    return DiffusionTalker(config).eval()


def peer_of(encoder: EncoderConfig) -> UniTalker:
    """A UniTalker with the same encoder and the decoder of the released ones."""
    from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

    return UniTalker(UniTalkerConfig(encoder, "conv", 256, 2, (HeadConfig("arkit", 52),))).eval()


def fill(model: UniTalker) -> UniTalker:
    """Random weights for a model without storage, of a size that lets sound come through."""
    import torch

    torch.manual_seed(0)
    state = {}
    for name, empty in model.state_dict().items():
        shape = tuple(empty.shape)
        if len(shape) > 1:
            state[name] = torch.randn(shape) / max(1, int(np.prod(shape[1:]))) ** 0.5
        else:
            state[name] = torch.ones(shape) if name.endswith("norm.weight") else torch.zeros(shape)
    model.load_state_dict(state, assign=True)
    return model.eval()


def write(name: str, path: Path) -> None:
    """Put the model of this name into a file."""
    from backend import checkpoint, face
    from backend.models.mel_encoder import MelEncoderConfig

    card = checkpoint.ModelCard(path.stem, name, "GPL-3.0-or-later")
    if name == "diffusion":
        checkpoint.save(path, diffusion_talker(MelEncoderConfig()), [face.arkit(30.0)], ["one"], card)
        return
    model, spaces = unitalker(name)
    identities = [str(row) for row in range(model.config.identity_count - 1)]
    checkpoint.save(path, model, spaces, identities, card)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
