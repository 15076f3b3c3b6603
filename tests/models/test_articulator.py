# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouths that follow from what is heard: decided once for a sound, alike in every take and after any steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend import face, takes
from backend.emotions import Emotions
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import Condition, DiffusionTalker
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.talker_config import DiffusionTalkerConfig, RegionConfig
from backend.models.unitalker import HeadConfig
from backend.performance import Performance

torch.set_num_threads(1)
MOUTH = [place for place, name in enumerate(face.ARKIT_CHANNELS) if name.startswith(("jaw", "mouth", "tongue"))]
EYES = [place for place in range(52) if place not in MOUTH]
CONFIG = DiffusionTalkerConfig(
    MelEncoderConfig(width=16, blocks=2, bands=20),
    3,
    (HeadConfig("arkit", 52), HeadConfig("mesh", 12)),
    DenoiserConfig(width=24, blocks=2, kernel=3, dilations=(1,)),
    emotions=("neutral", "happy"),
    personal_width=16,
    times=16,
    steps=4,
    decided=(RegionConfig("arkit", tuple(MOUTH)),),
    articulator=DenoiserConfig(width=32, blocks=3, kernel=5, dilations=(1, 2)),
)


@pytest.fixture(scope="module")
def model() -> DiffusionTalker:
    """A model whose every part has an effect."""
    torch.manual_seed(0)
    built = DiffusionTalker(CONFIG).eval()
    for name, value in built.named_parameters():
        if "modulation" in name or name.startswith("heads."):
            torch.nn.init.normal_(value, 0, 0.2)
    return built


def condition_of(model: DiffusionTalker, frames: int = 60, row: int = 0) -> Condition:
    torch.manual_seed(1)
    person = model.personalizer.fused(model.personalizer.identities.weight[row : row + 1])
    return model.condition(torch.randn(1, frames, model.encoder.width), person)


def babble(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * 16000)).astype(np.float32)


@torch.inference_mode()
def test_a_mouth_is_alike_in_every_take_and_after_any_number_of_steps(model: DiffusionTalker):
    told, noises = condition_of(model), [torch.randn(1, 60, 52) for _ in range(2)]
    found = [model.sample("arkit", z, told, steps) for z in noises for steps in (2, 8)]
    for other in found[1:]:
        assert torch.equal(other[..., MOUTH], found[0][..., MOUTH])
        assert not torch.allclose(other[..., EYES], found[0][..., EYES], atol=0.01)
    assert found[0][..., MOUTH].std(dim=1).mean() > 0.1
    somebody_else = model.sample("arkit", noises[0], condition_of(model, row=1), 2)
    assert not torch.allclose(somebody_else[..., MOUTH], found[0][..., MOUTH], atol=0.01)


def test_steps_cost_the_mouth_nothing_and_leave_it_at_its_mean(model: DiffusionTalker):
    said = model.denoise("arkit", torch.randn(1, 60, 52), torch.tensor([8]), condition_of(model))
    assert (said[..., MOUTH] == 0).all() and (said[..., EYES] != 0).all()


def test_a_space_of_which_nothing_is_decided_is_left_as_it_is(model: DiffusionTalker):
    x = torch.randn(1, 60, 12)
    assert model.decide("mesh", x, condition_of(model)) is x
    free = DiffusionTalker(replace(CONFIG, decided=()))
    assert free.articulator is None


def test_what_is_left_to_chance_is_shown_as_large_as_it_is_seen():
    head = DiffusionTalker(CONFIG).head("arkit")
    head.scale_to(torch.zeros(52), torch.ones(52).index_fill(0, torch.tensor(EYES[:1]), 3.0))
    shown = head.shown(torch.ones(1, 1, 52))[0, 0]
    assert (shown[MOUTH] == 0).all()
    torch.testing.assert_close(shown[EYES[0]], 3 * shown[EYES[1]])


def test_guidance_leads_the_mouth_away_from_silence(model: DiffusionTalker):
    told, x = condition_of(model), torch.zeros(1, 60, 52)
    heard, unheard = (model.decide("arkit", x, each) for each in (told, model.without_audio(told)))
    torch.testing.assert_close(model.decide("arkit", x, told, guidance=2.0), 2 * heard - unheard, rtol=1e-4, atol=1e-5)


def test_a_padded_mouth_is_that_of_the_clip_alone(model: DiffusionTalker):
    told = condition_of(model)
    padded = model.decide("arkit", torch.zeros(1, 60, 52), told, counts=torch.tensor([40]))
    alone = model.decide("arkit", torch.zeros(1, 40, 52), told._replace(audio=told.audio[:, :40]))
    torch.testing.assert_close(padded[:, :40], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("felt", [{}, [(0.0, {}), (30.0, {"happy": 1.0})]])
def test_a_long_sound_has_no_seams_in_its_mouth(model: DiffusionTalker, felt: Emotions):
    """Two takes of a minute, streamed, against the whole minute at once; with a mood that grows, too."""
    samples = babble(61.0)
    wanted = Performance(seed=3, takes=2, emotions=felt)
    found = np.concatenate(list(takes.perform(model, samples, takes.Stage("arkit", 30.0, 0), wanted, lambda: None)))
    assert found.shape == (1830, 2, 52)
    np.testing.assert_allclose(found[:, 0, MOUTH], found[:, 1, MOUTH], atol=1e-5)
    personal = takes._personal(model, takes.Stage("arkit", 30.0, 0), wanted)(0, 1830)[None]
    with torch.inference_mode():
        told = Condition(model.audio(model.aligned(model.hear(torch.from_numpy(samples)[None]), 1830, 30.0)), personal)
        at_once = model.head("arkit").decode(model.sample("arkit", model.noise(3, 0, 1830, "arkit")[None], told), None)
    np.testing.assert_allclose(found[:, 0], at_once[0].numpy(), atol=1e-3)
