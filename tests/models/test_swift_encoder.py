# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoder that runs when nobody trains: the numbers of the one that is trained, for every layout and length."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend import precision
from backend.models import swift_attention, swift_encoder
from backend.models.layers import Lengths
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.speech_encoder import SpeechEncoder
from backend.models.swift_encoder import SwiftEncoder
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.windows import frame_count
from tests.data.tiny_encoders import LAYOUTS, B, L


def encoder_of(config: SpeechEncoderConfig) -> SpeechEncoder:
    """Weights that matter: transformers begins with norms and gates that change nothing."""
    torch.manual_seed(0)
    encoder = SpeechEncoder(config).eval()
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "norm" in name or "gru" in name or parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder


def swift_of(encoder: SpeechEncoder, dtype: torch.dtype = torch.float32) -> SwiftEncoder:
    return SwiftEncoder(copy.deepcopy(encoder), dtype).eval()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_numbers_of_the_encoder_that_is_trained(name: str) -> None:
    encoder = encoder_of(LAYOUTS[name])
    swift = swift_of(encoder)
    for samples in (100, 16_000, 57_321):  # shorter than one feature; one block; several with a short one at the end
        audio = torch.randn(2, samples) * torch.tensor([[0.02], [0.3]]) + 0.1
        with torch.inference_mode():
            wanted, found = encoder(audio), swift(audio)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_time_can_be_resampled_in_front_of_the_transformer() -> None:
    encoder = encoder_of(B)
    audio = torch.randn(1, 30_000)
    with torch.inference_mode():
        torch.testing.assert_close(swift_of(encoder)(audio, None, 41), encoder(audio, None, 41), atol=1e-5, rtol=0)


def test_silence_is_no_division_by_zero() -> None:
    encoder = encoder_of(B)
    with torch.inference_mode():
        audio = torch.zeros(1, 20_000)
        torch.testing.assert_close(swift_of(encoder)(audio), encoder(audio), atol=1e-5, rtol=0)
        assert swift_of(encoder, torch.bfloat16)(audio).isfinite().all()


def test_blocks_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    swift, audio = swift_of(encoder_of(B)), torch.randn(1, 48_000)
    with torch.inference_mode():
        usual = swift(audio)
        monkeypatch.setattr(swift_encoder, "BLOCK", 7)
        torch.testing.assert_close(swift(audio), usual, atol=1e-5, rtol=0)


def test_a_far_limit_of_distances_takes_no_square_of_memory() -> None:
    """A description may name any limit, as no tensor of the file is that large: the square would be 54 GB."""
    swift = SwiftEncoder(SpeechEncoder(replace(B, distance_limit=60_000)).eval(), torch.float32)
    assert swift.distances.strip.shape == (B.attention_heads, 2 * 60_000 + 1)


def test_batches_as_graphics_cards_run_them_give_the_same() -> None:
    """One masked product for all heads, where a processor goes head by head."""
    query, key, value = (torch.randn(2, 4, 50, 16) for _ in range(3))
    gates, distances = torch.rand(2, 4, 50, 1), torch.randn(4, 50, 50)
    whole = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=gates * distances)
    torch.testing.assert_close(swift_attention.attend(query, key, value, gates, distances), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_keys_that_are_not_real_count_for_nothing(dtype: torch.dtype, masked: bool) -> None:
    query, key, value = (torch.randn(2, 4, 50, 16).to(dtype) for _ in range(3))
    bias = (torch.rand(2, 4, 50, 1).to(dtype), torch.randn(4, 50, 50).to(dtype)) if masked else (None, None)
    real = torch.arange(50) < torch.tensor([50, 33])[:, None]
    found = swift_attention.attend(query, key, value, *bias, real[:, None, None])
    cut = (bias[0][1:], bias[1][..., :33]) if masked else (None, None)
    wanted = swift_attention.attend(query[1:], key[1:, :, :33], value[1:, :, :33], *cut)
    torch.testing.assert_close(found[1:], wanted, atol=1e-5 if dtype == torch.float32 else 0.02, rtol=0)


@pytest.mark.parametrize("name", LAYOUTS)
def test_padded_clips_give_what_they_give_alone(name: str) -> None:
    swift = swift_of(encoder_of(LAYOUTS[name]))
    audio, counts = torch.randn(3, 57_321) * 0.1 + 0.05, torch.tensor([57_321, 30_000, 300])
    for row, count in enumerate(counts):
        audio[row, count:] = 0
    with torch.inference_mode():
        together = swift(audio, Lengths(counts, torch.tensor([90, 40, 1])))
        for row, count in enumerate(counts):
            alone = swift(audio[row : row + 1, :count])[0]
            assert int(swift.feature_count(counts)[row]) == len(alone)
            torch.testing.assert_close(together[row, : len(alone)], alone, atol=2e-5, rtol=0)


@pytest.mark.parametrize("config", [B, L], ids=["B", "L"])
def test_half_precision_moves_the_face_by_less_than_a_hundredth_of_its_range(config: SpeechEncoderConfig) -> None:
    torch.manual_seed(1)
    model = UniTalker(UniTalkerConfig(config, "conv", 64, 2, (HeadConfig("face", 30),))).eval()
    torch.nn.init.normal_(model.heads["face"].layers[0].weight, std=0.1)
    half = copy.deepcopy(model)
    half.register_module("encoder", SwiftEncoder(half.encoder, torch.bfloat16).eval())
    audio = 0.1 * torch.randn(1, 80_000) * (1 + torch.sin(torch.arange(80_000) / 2000))
    wanted, found = (one.predict(audio, "face", 150)[0].numpy() for one in (model, half))
    assert np.abs(found - wanted).max() < 0.01 * (wanted.max() - wanted.min())
    assert not np.array_equal(found, wanted)


@pytest.mark.parametrize("name", ["case1_wavlm_conv_pos1_pca", "case2_wav2vec2_conv_pos1_pca"])
def test_the_official_numbers(golden_case: Callable, name: str) -> None:
    """As `test_unitalker_golden`, with the encoder that `generate` and `serve` run."""
    case = golden_case(name)
    loaded = precision.ready(copy.deepcopy(case.loaded), "cpu", "fp32")
    assert isinstance(loaded.model.encoder, SwiftEncoder)
    run = case.config["runs"][0]
    audio = torch.from_numpy(case.inputs[f"raw_{run['audio']}"]).reshape(run["batch"], -1)
    identity = None if run["style_idx"] is None else torch.tensor(run["style_idx"])
    for space in run["annotations"]:
        template = torch.from_numpy(
            case.inputs.get(f"{run['name']}.template.{space}", case.inputs[f"template.{space}"])
        )
        frames = frame_count(audio.shape[1], run["fps"])
        with torch.inference_mode():
            values = loaded.model(audio, space, frames, identity, template).values
        np.testing.assert_allclose(
            values.numpy(), case.expected[f"{run['name']}.{space}.out_motion"], atol=1e-4, rtol=0
        )
