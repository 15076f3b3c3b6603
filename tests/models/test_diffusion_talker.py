# SPDX-License-Identifier: GPL-3.0-or-later
"""DiffusionTalker's parts: who speaks, what is denoised, and what a frame depends on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, face
from backend.face import FaceSpace
from backend.models import diffusion
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.layers import Lengths
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.talker_config import DiffusionTalkerConfig, RegionConfig
from backend.models.unitalker import HeadConfig
from backend.training.diffusion import losses

EAR = MelEncoderConfig(width=16, blocks=2, bands=20)
CONFIG = DiffusionTalkerConfig(
    EAR,
    3,
    (HeadConfig("arkit", 52), HeadConfig("face", 24, components=5, has_template=True)),
    DenoiserConfig(width=24, blocks=3, kernel=5),
    emotions=("neutral", "happy", "sad"),
    personal_width=16,
    times=16,
    steps=4,
    enhanced=(RegionConfig("arkit", (0, 1, 2)),),
)


def built(config: DiffusionTalkerConfig = CONFIG) -> DiffusionTalker:
    """A model whose every part has an effect."""
    torch.manual_seed(0)
    model = DiffusionTalker(config).eval()
    for name, value in model.named_parameters():
        if "modulation" in name or "heads." in name:
            torch.nn.init.normal_(value, 0, 0.2)
    basis = model.head("face").basis
    basis.get_buffer("components").copy_(torch.linalg.qr(torch.randn(24, 5)).Q.T)
    model.template("face").copy_(torch.randn(24))
    return model


def sound(seconds: float = 1.0, batch: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(batch, round(seconds * 16000), generator=torch.Generator().manual_seed(1))


# --- the model ---


def test_a_model_file_holds_the_whole_model(tmp_path: Path):
    model = built()
    spaces = [face.arkit(30.0), FaceSpace("face", "vertices", 25.0, 24)]
    checkpoint.save(tmp_path / "m.safetensors", model, spaces, ("ann", "bob"), checkpoint.ModelCard("m", "", "none"))
    loaded = checkpoint.load(tmp_path / "m.safetensors")
    assert loaded.model.config == CONFIG
    for space, frames in (("arkit", 30), ("face", 25)):
        row = torch.tensor([1])
        ours, theirs = (each.predict(sound(), space, frames, row, seed=3) for each in (model, loaded.model))
        assert torch.allclose(ours, theirs, atol=1e-5)
    with pytest.raises(checkpoint.CheckpointError, match="m is no UniTalker"):
        loaded.unitalker()


def test_every_seed_and_everybody_gives_another_take():
    model = built()
    takes = [model.predict(sound(), "arkit", 30, torch.tensor([row]), seed) for row in (0, 1) for seed in (0, 1)]
    assert torch.equal(takes[0], model.predict(sound(), "arkit", 30, torch.tensor([0]), 0))
    for number, take in enumerate(takes):
        assert all((take - other).abs().mean() > 1e-4 for other in takes[:number])
    pivot = model.predict(sound(), "arkit", 30)
    assert torch.equal(pivot, model.predict(sound(), "arkit", 30, torch.tensor([2])))


@pytest.mark.parametrize("prediction", ["x", "eps", "v"])
def test_a_network_may_predict_any_of_three(prediction: str):
    model = built(replace(CONFIG, prediction=prediction, schedule="linear"))
    z = torch.randn(2, 30, 52)
    time = torch.tensor([4, 12])
    x = model.denoise("arkit", z, time, condition_of(model, batch=2))
    assert x.shape == z.shape and torch.isfinite(x).all()


def test_what_is_denoised_has_unit_size_and_comes_back():
    model = built()
    head, template = model.head("face"), model.template("face")
    coefficients = torch.randn(50, 5) * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.0]) + 1
    head.scale_to(coefficients.mean(dim=0), coefficients.std(dim=0))
    values = head.basis.decode(coefficients)[None] + template
    encoded = head.encode(values, template)
    torch.testing.assert_close(encoded[0].std(dim=0)[:4], torch.ones(4), rtol=1e-3, atol=1e-3)
    assert encoded[0].std(dim=0)[4] < 1e-3  # what never moves is not blown up
    torch.testing.assert_close(head.decode(encoded, template), values, rtol=1e-4, atol=1e-4)


def test_guidance_leads_away_from_silence():
    model, z = built(), torch.randn(1, 30, 52)
    condition, time, then = condition_of(model), torch.tensor([8]), torch.tensor([4])
    heard = model.step("arkit", z, time, then, condition)
    unheard = model.step("arkit", z, time, then, model.without_audio(condition))
    twice = model.step("arkit", z, time, then, condition, guidance=2.0)
    assert (heard - unheard).abs().max() > 1e-4
    torch.testing.assert_close(twice, 2 * heard - unheard, rtol=1e-4, atol=1e-5)


def test_a_frame_sees_no_further_than_the_reach_of_the_denoiser():
    model = built()
    condition, reach = condition_of(model, seconds=4.0), CONFIG.denoiser.reach
    z = torch.randn(1, 120, 52)
    changed = z.clone()
    changed[:, 60] += 1
    moved = (
        model.denoise("arkit", z, torch.tensor([8]), condition)
        != model.denoise("arkit", changed, torch.tensor([8]), condition)
    ).any(dim=2)[0]
    places = moved.nonzero().flatten()
    assert places.min() >= 60 - reach and places.max() <= 60 + reach
    assert places.min() < 60 < places.max()


def test_padding_changes_nothing():
    model, audio = built(), sound(2.0)
    alone = model.denoise("arkit", torch.ones(1, 30, 52), torch.tensor([8]), condition_of(model, sound(1.0)[:, :16000]))
    padded = torch.zeros(2, 32000)
    padded[0, :16000], padded[1] = sound(1.0)[0, :16000], audio[0]
    lengths = Lengths(torch.tensor([16000, 32000]), torch.tensor([30, 60]))
    features = model.hear(padded, lengths)
    told = model.condition(model.aligned(features, 60, 30.0), model.personalizer.fused(torch.ones(2, 16)))
    together = model.denoise("arkit", torch.ones(2, 60, 52), torch.tensor([8, 8]), told, lengths.frames)
    torch.testing.assert_close(together[0, :29], alone[0, :29], rtol=1e-4, atol=1e-4)


def test_features_are_taken_at_the_time_of_each_frame():
    model = built()
    features = torch.arange(101.0)[None, :, None].expand(1, 101, 16)
    at_25 = model.aligned(features, 50, 25.0)[0, :, 0]
    torch.testing.assert_close(at_25, 2.0 * torch.arange(50))
    at_30 = model.aligned(features, 60, 30.0)[0, :, 0]
    torch.testing.assert_close(at_30, torch.arange(60) * 50 / 30, rtol=1e-5, atol=1e-4)
    assert (model.aligned(features, 80, 25.0)[0, 51:, 0] == 100).all()


def test_a_speech_encoder_is_heard_at_the_same_times():
    listener = SpeechEncoderConfig(
        "wav2vec2", width=16, layers=1, attention_heads=2, feed_forward=16, convolution_channels=(8,) * 7
    )
    model = built(replace(CONFIG, encoder=listener))
    assert model.feature_rate == built().feature_rate == 50
    motion = model.predict(sound(), "arkit", 30)
    assert motion.shape == (1, 30, 52) and torch.isfinite(motion).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"identity_count": 0}, "sizes"),
        ({"steps": 17}, "times"),
        ({"emotions": ()}, "emotion"),
        ({"heads": ()}, "head"),
        ({"enhanced": (RegionConfig("arkit", (52,)),)}, "region of arkit"),
    ],
)
def test_an_impossible_config_is_refused(change: dict, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        replace(CONFIG, **change)


# --- noise ---


def test_the_noise_of_a_frame_is_the_same_however_it_is_asked_for():
    whole = diffusion.noise_field(7, 0, 2000, 5)
    pieces = [diffusion.noise_field(7, start, 100, 5) for start in range(0, 2000, 100)]
    assert torch.equal(torch.cat(pieces), whole)
    assert torch.equal(diffusion.noise_field(7, 255, 2, 5), whole[255:257])
    assert not torch.equal(diffusion.noise_field(8, 0, 2000, 5), whole)
    assert abs(whole.mean()) < 0.05 and abs(whole.std() - 1) < 0.05
    assert abs(np.corrcoef(whole[:-1, 0], whole[1:, 0])[0, 1]) < 0.1


# --- who speaks ---


def condition_of(model: DiffusionTalker, audio: torch.Tensor | None = None, seconds: float = 1.0, batch: int = 1):
    audio = sound(seconds, batch) if audio is None else audio
    aligned = model.aligned(model.hear(audio), round(audio.shape[1] / 16000 * 30), 30.0)
    return model.condition(aligned, model.personalizer.fused(torch.ones(len(audio), 16)))


def test_a_mood_of_weight_0_is_not_heard_and_the_first_is_the_usual_one():
    personalizer = built().personalizer
    person = torch.randn(1, 16)
    usual = personalizer.fused(person)
    torch.testing.assert_close(personalizer.fused(person, torch.tensor([[1.0, 0, 0]])), usual)
    torch.testing.assert_close(personalizer.fused(person, torch.tensor([[0.5, 0, 0]])), usual)
    happy, sad = (personalizer.fused(person, torch.tensor([weights])) for weights in ([0.0, 1, 0], [0.0, 0, 1]))
    assert (happy - usual).abs().max() > 1e-3 and (happy - sad).abs().max() > 1e-3
    mixed = personalizer.fused(person, torch.tensor([[0.0, 0.5, 0.5]]))
    assert (mixed - happy).norm() < (sad - happy).norm()


def test_the_nearest_identity_is_found_by_its_own_embedding():
    personalizer = built().personalizer
    known = personalizer.fused(personalizer.identities.weight[:-1])
    assert personalizer.nearest(known + 0.1 * torch.randn(2, 16)).tolist() == [0, 1]


def test_contrast_finds_partners_and_spares_those_of_the_same_label():
    one = torch.eye(4)
    labels, warm = torch.arange(4), torch.tensor(0.05)
    assert losses.contrast(one, one, labels, warm) < 1e-6
    assert losses.contrast(one, one.flip(0), labels, warm) > 10
    twins = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    assert losses.contrast(twins, twins, torch.tensor([0, 1, 2]), warm) > 0.4
    assert losses.contrast(twins, twins, torch.tensor([0, 0, 2]), warm) < 1e-6
    same = torch.zeros(3, dtype=torch.long)
    assert losses.contrast(twins, twins, same, warm) == 0


def test_trembling_costs_as_much_as_it_is_long_and_nothing_behind_the_end():
    still, frames = torch.zeros(1, 50, 3), torch.tensor([30])
    trembling = still.clone()
    trembling[:, ::2] = 0.01
    assert losses.tremble(trembling, still, frames) == pytest.approx(0.01)
    assert losses.velocity(trembling, still, frames) == pytest.approx(0.01**2)
    assert losses.tremble(trembling, still, frames, torch.full((1, 1, 1), 0.5)) == pytest.approx(0.005)
    assert losses.tremble(trembling, trembling + 1, frames) == pytest.approx(0, abs=1e-7)
    trembling[:, :30] = 0
    assert losses.tremble(trembling, still, torch.tensor([29])) == 0


def test_contrast_teaches_the_temperature():
    temperature = torch.tensor(0.5, requires_grad=True)
    losses.contrast(torch.eye(4), torch.eye(4), torch.arange(4), temperature).backward()
    assert temperature.grad > 0  # partners are right already, so colder is better


def test_the_enhancer_reads_the_upper_face_alone():
    model, motion = built(), torch.randn(2, 30, 52)
    changed = motion.clone()
    changed[..., 3:] += 1
    assert torch.equal(model.enhancer(motion, "arkit"), model.enhancer(changed, "arkit"))
    changed[..., 1] *= 2
    assert not torch.equal(model.enhancer(motion, "arkit"), model.enhancer(changed, "arkit"))


def test_a_step_of_a_padded_clip_is_that_of_the_clip_alone():
    model = built()
    z, condition = torch.randn(1, 40, 52), model.condition(torch.randn(1, 40, model.encoder.width), torch.zeros(1, 16))
    now, then = torch.tensor([8]), torch.tensor([4])
    alone = model.step("arkit", z[:, :25], now, then, condition._replace(audio=condition.audio[:, :25]))
    padded = model.step("arkit", z, now, then, condition, counts=torch.tensor([25]))
    torch.testing.assert_close(padded[:, :25], alone, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(model.step("arkit", z, now, then, condition)[:, :25], alone, atol=1e-3)


@pytest.mark.parametrize("counts", [None, torch.tensor([17, 30])])
def test_a_block_along_memory_is_the_convolution_that_it_says(counts: torch.Tensor | None):
    block, hidden, modulation = built().denoiser.blocks[1], torch.randn(2, 30, 24), torch.randn(2, 1, 24)
    scale, shift, gate = block.modulation(modulation).chunk(3, dim=2)
    real = hidden if counts is None else hidden * (torch.arange(30) < counts[:, None])[..., None]
    mixed = block.norm(block.along_time(real.transpose(1, 2)).transpose(1, 2)) * (1 + scale) + shift
    wanted = hidden + gate * block.narrow(torch.nn.functional.gelu(block.widen(mixed)))
    torch.testing.assert_close(block(hidden, modulation, counts), wanted, rtol=1e-5, atol=1e-5)
