# SPDX-License-Identifier: GPL-3.0-or-later
"""The closure gate: open it changes nothing, shut it shuts lips as `backend/closures.py` does."""

from __future__ import annotations

import itertools

import pytest
import torch

from backend import closures
from backend.face import ARKIT_CHANNELS
from backend.models.closure_gate import ClosureGate
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

WIDTH, FRAMES = 6, 40


def gate(logit: float) -> ClosureGate:
    built = ClosureGate(WIDTH)
    torch.nn.init.constant_(built.reading.bias, logit)
    return built


@pytest.fixture
def hidden() -> torch.Tensor:
    return torch.randn(1, FRAMES, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def motion() -> torch.Tensor:
    return torch.rand(1, FRAMES, len(ARKIT_CHANNELS), generator=torch.Generator().manual_seed(2))


def opening(values: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(closures.opening(values[0].detach().numpy(), ARKIT_CHANNELS))


def test_an_open_gate_changes_nothing(hidden: torch.Tensor, motion: torch.Tensor):
    torch.testing.assert_close(gate(-40.0)(hidden, motion), motion)


def test_a_shut_gate_shuts_as_known_words_do(hidden: torch.Tensor, motion: torch.Tensor):
    shut = gate(40.0)(hidden, motion)[0].detach().numpy()
    lips = closures.Lips(shut=((-1.0, 2.0),), at_teeth=(), silent=())
    known = closures.follow(motion[0].numpy(), ARKIT_CHANNELS, lips, first=0, fps=60.0)
    torch.testing.assert_close(torch.from_numpy(shut), torch.from_numpy(known))


def test_the_further_shut_the_smaller_is_the_opening(hidden: torch.Tensor, motion: torch.Tensor):
    openings = [opening(gate(logit)(hidden, motion)) for logit in (-4.0, -1.0, 1.0, 4.0)]
    assert all((less <= more).all() for more, less in itertools.pairwise(openings))
    assert (openings[-1] < 0.05).float().mean() > 0.8 > 0.2 > (openings[0] < 0.05).float().mean()


def test_only_the_lips_of_a_motion_are_shut(hidden: torch.Tensor, motion: torch.Tensor):
    moved = (gate(2.0)(hidden, motion) != motion).flatten(0, 1).any(dim=0)
    assert {name for name, changed in zip(ARKIT_CHANNELS, moved, strict=True) if changed} <= set(closures.CHANNELS)


def test_both_the_gate_and_the_motion_learn_from_the_opening(hidden: torch.Tensor, motion: torch.Tensor):
    fresh = ClosureGate(WIDTH)
    fresh(hidden, motion.requires_grad_()).square().sum().backward()
    assert fresh.reading.weight.grad is not None and fresh.reading.weight.grad.abs().sum() > 0
    assert motion.grad is not None and motion.grad.abs().sum() > 0


def test_a_model_with_a_gate_shuts_its_lips_by_it():
    config = UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 1, (HeadConfig("arkit", 52, gate=True),))
    model, sound = UniTalker(config).eval(), torch.randn(1, 16000)
    torch.nn.init.constant_(model.heads["arkit"].layers[-1].bias, 0.3)
    openings = []
    for logit in (-40.0, 40.0):
        torch.nn.init.constant_(model.gate("arkit").reading.bias, logit)
        openings.append(opening(model.predict(sound, "arkit", 60)))
    assert (openings[0] > 0.1).all() and (openings[1] < 0.05).all()


@pytest.mark.parametrize("head", [{"dim": 51}, {"dim": 52, "components": 8}])
def test_only_heads_of_arkit_weights_have_a_gate(head: dict[str, int]):
    with pytest.raises(ValueError, match="cannot have a closure gate"):
        HeadConfig("face", gate=True, **head)
