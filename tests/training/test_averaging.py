# SPDX-License-Identifier: GPL-3.0-or-later
"""One model of several: the mean of their weights, and what is refused."""

from pathlib import Path

import pytest
import torch
from training_commands import run

from backend import checkpoint
from backend.checkpoint import ModelCard
from backend.face import arkit
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.training.errors import ConfigError


def saved(file: Path, seed: int, width: int = 8, licence: str = "CC0-1.0") -> Path:
    torch.manual_seed(seed)
    model = UniTalker(
        UniTalkerConfig(MelEncoderConfig(width=width, blocks=1), "conv", 8, 2, (HeadConfig("arkit", 52),))
    )
    card = ModelCard("small", "Small", licence, {"seed": seed, "attribution": "Ann"})
    checkpoint.save(file, model.eval(), [arkit(60.0)], ("ann",), card)
    return file


def test_the_mean_of_two_models(tmp_path):
    files = [saved(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    run("average", *files, "--output", tmp_path / "mean.safetensors")
    one, other, mean = (checkpoint.load(file) for file in (*files, tmp_path / "mean.safetensors"))
    weights, others, means = (loaded.model.state_dict() for loaded in (one, other, mean))
    for name in weights:
        torch.testing.assert_close(means[name], (weights[name] + others[name]) / 2, atol=1e-3, rtol=1e-3)
    assert mean.identities == ("ann",)
    assert mean.info.training == {"attribution": "Ann", "mean of": [{"seed": 1}, {"seed": 2}]}


def test_models_that_did_not_begin_alike_are_refused(tmp_path):
    one = saved(tmp_path / "one.safetensors", 1)
    wider = saved(tmp_path / "wider.safetensors", 1, width=16)
    other_licence = saved(tmp_path / "other.safetensors", 1, licence="own use only")
    for models, complaint in (
        ([one, wider], "is not built as"),
        ([one, other_licence], "under another licence"),
        ([one], "its own mean"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            run("average", *models, "--output", tmp_path / "mean.safetensors")
    assert not (tmp_path / "mean.safetensors").exists()
