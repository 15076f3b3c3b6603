# SPDX-License-Identifier: GPL-3.0-or-later
"""A DiffusionTalker of random weights that knows two people and three emotions: ``python tiny_talker.py FOLDER``.

It runs in the backend's Python; tests in Blender's start it as a process.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from backend import checkpoint, face
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.talker_config import DiffusionTalkerConfig
from backend.models.unitalker import HeadConfig

NAME = "talker"
CONFIG = DiffusionTalkerConfig(
    MelEncoderConfig(width=16, blocks=2, bands=20),
    3,
    (HeadConfig("arkit", 52),),
    DenoiserConfig(width=24, blocks=2, kernel=3, dilations=(1,)),
    emotions=("neutral", "happy", "sad"),
    personal_width=16,
    times=16,
    steps=2,
)


def save(folder: Path) -> Path:
    """Write ``talker.safetensors`` into a folder."""
    torch.manual_seed(0)
    model = DiffusionTalker(CONFIG)
    for name, value in model.named_parameters():
        if "modulation" in name or "heads." in name:
            torch.nn.init.normal_(value, 0, 0.2)
    path = folder / f"{NAME}.safetensors"
    checkpoint.save(path, model, (face.arkit(30.0),), ("ann", "bob"), checkpoint.ModelCard(NAME, "", "none"))
    return path


if __name__ == "__main__":
    save(Path(sys.argv[1]))
