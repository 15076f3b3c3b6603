# SPDX-License-Identifier: GPL-3.0-or-later
"""A UniTalker as the ear of a model that diffuses, and mouths that follow from what it hears."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, face, pipeline, planning, stillness
from backend.models import diffusion
from backend.models.denoiser import DenoiserConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.layers import Lengths, at_frames
from backend.models.mel_encoder import MelEncoderConfig
from backend.models.regression_ear import RegressionEar, RegressionEarConfig
from backend.models.talker_config import DiffusionTalkerConfig, RegionConfig
from backend.models.unitalker import HeadConfig, UniTalkerConfig
from backend.performance import Performance

torch.set_num_threads(1)
TALKER = UniTalkerConfig(
    MelEncoderConfig(width=16, blocks=2, bands=20), "conv", 16, 3, (HeadConfig("arkit", 52),), identity_width=4
)
MOUTH = tuple(place for place, name in enumerate(face.ARKIT_CHANNELS) if name.startswith(("jaw", "mouth")))
CONFIG = DiffusionTalkerConfig(
    RegressionEarConfig(TALKER),
    3,
    (HeadConfig("arkit", 52),),
    DenoiserConfig(width=24, blocks=2, kernel=3, dilations=(1,)),
    personal_width=16,
    times=16,
    steps=4,
    decided=(RegionConfig("arkit", MOUTH),),
)


def sound(seconds: float, seed: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(1, round(seconds * 16000), generator=torch.Generator().manual_seed(seed))


def built(config: DiffusionTalkerConfig = CONFIG) -> DiffusionTalker:
    torch.manual_seed(0)
    model = DiffusionTalker(config).eval()
    for name, value in model.named_parameters():
        if "modulation" in name or name.startswith("heads."):
            torch.nn.init.normal_(value, 0, 0.2)
    return model


def ear_of(config: UniTalkerConfig = TALKER) -> RegressionEar:
    torch.manual_seed(0)
    return RegressionEar(RegressionEarConfig(config)).eval()


def test_an_ear_hears_features_and_the_motion_that_its_regression_makes_of_them():
    ear = ear_of()
    heard, features = ear(sound(2.0)), ear.mel(sound(2.0))
    assert heard.shape == (1, 120, 16 + 52) and ear.width == 68
    torch.testing.assert_close(heard[..., :16], at_frames(features, 50.0, 120, 60.0, 0.5))
    hidden = ear.talker.decoder(heard[..., :16], torch.tensor([2]))
    torch.testing.assert_close(ear.motion(heard), ear.talker.heads["arkit"](hidden, None)[0])


def test_a_window_is_heard_as_it_is_within_the_whole_sound():
    """However long a sound goes on: its frames are not stretched over what is heard."""
    ear, whole = ear_of(), sound(20.0)
    level = ear.mel.level_of(ear.mel.loudness(whole))
    heard, window = ear(whole, level=level), ear(whole[:, 5 * 16000 : 12 * 16000], level=level)
    torch.testing.assert_close(window[:, 60:-60], heard[:, 360 : 720 - 60], atol=1e-4, rtol=1e-4)


def test_a_padded_clip_is_heard_as_it_is_alone():
    ear = ear_of()
    short, long = sound(1.0, 2), sound(2.0, 3)
    both = torch.cat((torch.nn.functional.pad(short, (0, 16000)), long))
    heard = ear(both, Lengths(torch.tensor([16000, 32000]), torch.tensor([60, 120])))
    torch.testing.assert_close(heard[:1, :60], ear(short), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(heard[1:], ear(long), atol=1e-4, rtol=1e-4)


def test_only_a_small_unitalker_with_one_head_can_be_an_ear():
    two = replace(TALKER, heads=(*TALKER.heads, HeadConfig("face", 9)))
    late = replace(TALKER, interpolate_position=2)
    for config in (two, late):
        with pytest.raises(ValueError, match="an ear"):
            RegressionEarConfig(config)


def test_a_mouth_that_is_decided_is_never_seen_by_the_denoiser():
    model = built()
    condition = model.condition(model.aligned(model.hear(sound(1.0)), 30, 30.0), torch.zeros(1, 16))
    z, time = torch.randn(1, 30, 52), torch.tensor([8])
    other = z.clone()
    other[..., list(MOUTH)] = torch.randn(1, 30, len(MOUTH))
    assert torch.equal(*(model.denoise("arkit", each, time, condition) for each in (z, other)))
    other[..., 0] += 1
    assert 0 not in MOUTH
    assert not torch.equal(*(model.denoise("arkit", each, time, condition) for each in (z, other)))


def test_what_cannot_be_decided_is_refused():
    with pytest.raises(ValueError, match="predict x"):
        replace(CONFIG, prediction="v")
    with pytest.raises(ValueError, match="no PCA coefficients"):
        replace(CONFIG, heads=(HeadConfig("arkit", 52, components=8),))


def test_takes_of_no_liveliness_are_all_alike():
    model = built(replace(CONFIG, liveliness=0.0))
    one, other = (model.predict(sound(1.0), "arkit", 30, seed=seed) for seed in (1, 2))
    assert torch.equal(one, other)
    lively = built(replace(CONFIG, liveliness=1.5))
    assert torch.equal(lively.noise(3, 5, 7, "arkit"), 1.5 * diffusion.noise_field(3, 5, 7, 52))


def test_a_shift_divides_the_signal_by_the_noise_at_every_time():
    plain, shifted = (diffusion.signal_shares("cosine", 64, shift)[1:] for shift in (1.0, 3.0))
    ratios = [(shares / (1 - shares)).sqrt() for shares in (plain, shifted)]
    torch.testing.assert_close(ratios[1], ratios[0] / 3)


def test_the_angle_of_the_cosine_schedule_is_its_time():
    shares, times = diffusion.signal_shares("cosine", 512), torch.arange(513)
    angles = diffusion.angle(diffusion.level_at(diffusion.levels_of(shares), times))
    assert (angles - times / 512).abs().max() < 0.01


def test_a_take_is_not_counted_from_where_it_happens_to_rest(tmp_path: Path):
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, built(), (face.arkit(30.0),), ("ann", "bob"), checkpoint.ModelCard("m", "", "none"))
    loaded = checkpoint.load(path)
    assert loaded.model.config == CONFIG
    samples, performance = np.zeros(32000, np.float32), Performance(seed=3)
    own, usable = (
        np.concatenate([chunk.values for chunk in pipeline.generate(loaded, samples, planning.plan(loaded, request))])
        for request in (planning.Request(raw=True, performance=performance), planning.Request(performance=performance))
    )
    eyes = [place for place in range(52) if place not in MOUTH]
    still = stillness.of_whole(own, face.ARKIT_CHANNELS, 30.0)
    np.testing.assert_allclose(usable[:, eyes], still[:, eyes].clip(0, 1), atol=1e-6)
