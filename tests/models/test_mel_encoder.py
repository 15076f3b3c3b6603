# SPDX-License-Identifier: GPL-3.0-or-later
"""What the small encoder hears, and what must not matter to it."""

import copy

import numpy as np
import pytest
import torch

from backend.models.mel_encoder import DYNAMICS, Block, MelEncoder, MelEncoderConfig, per_channel
from backend.models.mel_filters import mel_filters
from backend.models.noise_floor import above_floor

RATE = 16000


def encoder(**settings) -> MelEncoder:
    torch.manual_seed(0)
    return MelEncoder(MelEncoderConfig(width=16, blocks=2, bands=40, emphasis=0.97, quietest=-20.0, **settings))


def vowels(seconds: float = 1.0) -> torch.Tensor:
    """Something with a pitch and formants that move."""
    times = torch.arange(round(seconds * RATE)) / RATE
    partials = [torch.sin(2 * torch.pi * 120 * n * times + n) / n for n in range(1, 30)]
    return (0.05 * sum(partials) * (1 + torch.sin(2 * torch.pi * 3 * times)))[None]


@pytest.mark.parametrize("samples", [16000, 16001, 16319, 400, 1600])
def test_fifty_frames_a_second(samples):
    features = encoder().eval()(torch.randn(2, samples))
    assert features.shape[0] == 2
    assert features.shape[2] == 16
    assert abs(features.shape[1] - samples / 320) <= 1


def test_loudness_does_not_matter():
    heard = encoder().eval()
    loud, soft = heard.spectrum(vowels()), heard.spectrum(vowels() * 0.3)
    assert (loud - soft)[loud > -1.5].abs().max() < 0.02


def test_rumble_below_the_voice_hardly_matters():
    heard = encoder().eval()
    times = torch.arange(RATE) / RATE
    rumble = 0.3 * torch.sin(2 * torch.pi * 8 * times)
    clean, shaken = heard.spectrum(vowels()), heard.spectrum(vowels() + rumble)
    assert (clean - shaken)[:, 8:, 5:-5].abs().mean() < 0.02


def test_room_noise_is_not_lifted_to_the_level_of_a_voice():
    heard = encoder().eval()
    assert heard.spectrum(torch.randn(1, RATE) * 1e-4).max() < -0.3
    assert heard.spectrum(torch.zeros(1, RATE)).max() == -2


def test_a_long_pause_does_not_change_how_speech_is_heard():
    heard = encoder().eval()
    alone = heard.spectrum(vowels())
    long = heard.spectrum(torch.cat((vowels(), torch.zeros(1, 20 * RATE)), dim=1))[:, :, : alone.shape[2]]
    assert (alone - long)[:, :, 5:-5].abs().max() < 0.2


def in_context() -> MelEncoder:
    """One whose context has learnt something."""
    heard = encoder(context=8).eval()
    with torch.no_grad():
        for name, parameter in heard.named_parameters():
            if "excite" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return heard


def test_context_changes_nothing_before_it_has_learnt():
    plain, wider = encoder().eval(), encoder(context=8).eval()
    wider.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(plain(vowels()), wider(vowels()))


def test_every_frame_knows_the_clip_only_with_context():
    in_noise = torch.cat((vowels(3.0), torch.randn(1, 3 * RATE) * 0.02), dim=1)
    in_a_crowd = torch.cat((vowels(3.0), vowels(3.0).flip(1) * 0.5), dim=1)

    def first_second(heard: MelEncoder, audio: torch.Tensor) -> torch.Tensor:
        return heard(audio, None, torch.zeros(1, 1, 1))[:, :50]

    plain, wider = encoder().eval(), in_context()
    assert torch.allclose(first_second(plain, in_noise), first_second(plain, in_a_crowd), atol=1e-4)
    assert (first_second(wider, in_noise) - first_second(wider, in_a_crowd)).abs().max() > 0.02


def test_context_hears_the_same_in_a_long_sound_as_in_a_piece_of_it():
    heard = in_context()
    long, short = heard(vowels(20.0)), heard(vowels(5.0))
    assert (long[:, 50:150] - short[:, 50:150]).abs().max() < 0.05


def test_training_varies_and_inference_does_not():
    heard = encoder(warp=0.15, masked_bands=8, masked_frames=20, dropout=0.1)
    heard.eval()
    assert torch.equal(heard(vowels()), heard(vowels()))
    heard.train()
    assert not torch.allclose(heard(vowels()), heard(vowels()))


def test_filters_cover_the_voice_without_gaps():
    filters = mel_filters(40).numpy()
    hertz = np.linspace(0, 8000, filters.shape[1])
    covered = filters.sum(axis=0)[(hertz > 120) & (hertz < 7300)]
    assert covered.min() > 0.3
    assert (np.diff(hertz[filters.argmax(axis=1)]) >= 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0},
        {"kernel": 8},
        {"dilations": ()},
        {"warp": 0.7},
        {"blocks": 65},
        {"emphasis": 1.5},
        {"context": -1},
        {"formants": -1},
        {"above_floor": True},
        {"skip": 1.0},
    ],
)
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match="mel encoder"):
        MelEncoderConfig(**wrong)


def test_a_block_is_left_out_in_training_only():
    heard = encoder(skip=0.9)
    heard.train()
    drawn = torch.stack([heard(vowels())[0] for _ in range(8)])
    assert (drawn - drawn[:1]).abs().amax(dim=(1, 2)).max() > 0.01
    heard.eval()
    assert torch.equal(heard(vowels()), heard(vowels()))


def test_a_block_left_out_for_some_clips_adds_more_to_the_others():
    """So that it adds the same in the mean; and each clip hears its own length and its own room."""
    torch.manual_seed(0)
    block = Block(MelEncoderConfig(width=8, blocks=1, context=4, skip=0.5), 0)
    torch.nn.init.normal_(block.context.excite.weight)
    features, counts = torch.randn(40, 12, 8), torch.arange(40) % 6 + 6
    shares = torch.rand(40, 2, 12) / 12
    whole = block.eval()(features, counts, shares) - features
    some = block.train()(features, counts, shares) - features
    left_out = some.abs().amax(dim=(1, 2)) == 0
    assert 10 < left_out.sum() < 30
    torch.testing.assert_close(some[~left_out], 2 * whole[~left_out], rtol=1e-4, atol=1e-5)


def test_a_block_may_be_left_out_for_all_clips():
    torch.manual_seed(0)
    features = torch.randn(2, 12, 8)
    assert torch.equal(Block(MelEncoderConfig(width=8, blocks=1, skip=0.999), 0).train()(features), features)


@pytest.mark.parametrize("bands", [1, 40, 41, 43])
def test_formants_are_heard_at_fifty_frames_a_second_whatever_the_bands(bands):
    heard = MelEncoder(MelEncoderConfig(width=16, blocks=1, bands=bands, formants=2)).eval()
    plain = MelEncoder(MelEncoderConfig(width=16, blocks=1, bands=bands)).eval()
    assert heard(vowels()).shape == plain(vowels()).shape


def test_even_noise_is_at_the_bottom_of_what_is_above_the_floor():
    """However loud it is in a band; and a voice stands out from it."""
    heard = encoder(formants=2).eval()
    voice = torch.cat((vowels(), torch.zeros(1, RATE)), dim=1)
    for loud in (0.001, 0.01):
        torch.manual_seed(1)
        noise = loud * torch.randn_like(voice)
        above = above_floor(heard.spectrum(voice + noise), DYNAMICS)
        assert above[..., 120:].mean() < -0.1
        assert above[:, :10, 20:90].amax(dim=1).mean() > 0.5
    assert above_floor(heard.spectrum(torch.zeros(1, RATE)), DYNAMICS).max() < -0.3


def test_a_floor_is_that_of_the_real_frames():
    spectrum = encoder(formants=2).eval().spectrum(vowels())
    padded = torch.nn.functional.pad(spectrum, (0, 40))
    above = above_floor(padded, DYNAMICS, torch.tensor([spectrum.shape[2]]))
    torch.testing.assert_close(above[..., :-40], above_floor(spectrum, DYNAMICS))
    assert not above[..., -40:].any()


@pytest.mark.parametrize("dilation", [1, 4])
def test_channels_are_filtered_as_torch_filters_them(dilation):
    convolution = torch.nn.Conv1d(6, 6, 9, padding=4 * dilation, dilation=dilation, groups=6)
    features = torch.randn(2, 23, 6)
    by_torch = convolution(features.transpose(1, 2)).transpose(1, 2)
    assert torch.allclose(per_channel(convolution, features), by_torch, atol=1e-6)


@pytest.mark.parametrize("front", [{}, {"formants": 4}, {"formants": 4, "above_floor": True}])
def test_large_products_in_half_precision_change_little(front):
    full = MelEncoder(MelEncoderConfig(width=32, blocks=4, bands=40, context=8, **front)).eval()
    short = copy.deepcopy(full)
    short.multiply_in(torch.bfloat16)
    with torch.no_grad():
        wanted, found = full(vowels()), short(vowels())
    assert found.dtype == torch.float32
    assert not torch.equal(wanted, found)
    assert (wanted - found).abs().max() < 0.05  # of features with unit variance


def test_context_does_not_listen_where_there_is_no_sound_at_all():
    heard = in_context()
    voice = vowels(3.0) + 0.003 * torch.randn(1, 3 * RATE)
    level = heard.level_of(heard.loudness(voice))
    alone = heard(voice, None, level)
    apart = heard(torch.cat((voice, torch.zeros(1, 17 * RATE)), dim=1), None, level)
    assert (alone - apart[:, : alone.shape[1]])[:, 5:-40].abs().max() < 0.01
