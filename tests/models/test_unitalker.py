# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker's behaviour: every mixture of its parts, its pivot, its heads, what it refuses."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from backend.models.audio_encoder import MelEncoderConfig, build_encoder
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.speech_encoder import LeanAttention, standardise
from backend.models.unitalker import AuxiliaryConfig, HeadConfig, UniTalker, UniTalkerConfig

TINY = SpeechEncoderConfig(
    "wavlm", width=16, layers=2, attention_heads=2, feed_forward=32, convolution_channels=(8,) * 7
)
WAV2VEC2 = dataclasses.replace(TINY, kind="wav2vec2", stable_layer_norm=True, convolution_norm="layer")
MEL = MelEncoderConfig(width=16, blocks=2)
HEADS = (HeadConfig("arkit", 5), HeadConfig("head", 12, components=4, has_template=True))


def tiny(encoder: SpeechEncoderConfig | MelEncoderConfig = TINY, decoder: str = "conv", **changes) -> UniTalker:
    torch.manual_seed(1)
    model = UniTalker(UniTalkerConfig(encoder, decoder, 8, 3, HEADS, **changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for name, buffer in model.heads["head"].named_buffers():
            buffer.copy_(torch.randn_like(buffer)) if "positions" not in name else None
    return model


MIXTURES = [
    (encoder, decoder, position)
    for encoder, decoder, position in itertools.product((TINY, WAV2VEC2, MEL), ("conv", "transformer"), (0, 1, 2))
    if not (encoder is MEL and position == 0)
]


@pytest.mark.parametrize(("encoder", "decoder", "position"), MIXTURES)
def test_every_mixture_predicts_a_batch_as_it_predicts_each_clip(encoder, decoder: str, position: int) -> None:
    model = tiny(encoder, decoder, interpolate_position=position)
    audio, identity = torch.randn(2, 8000), torch.tensor([0, 1])
    both = model.predict(audio, "head", 13, identity)
    assert both.shape == (2, 13, 12)
    assert both.dtype == torch.float32
    for number in range(2):
        alone = model.predict(audio[number : number + 1], "head", 13, identity[number : number + 1])
        torch.testing.assert_close(alone[0], both[number], atol=1e-5, rtol=1e-4)
    pivot = model.predict(audio, "head", 13)
    torch.testing.assert_close(pivot, model.predict(audio, "head", 13, torch.tensor([2, 2])))
    assert not torch.allclose(pivot, both)


def test_predictions_repeat_exactly() -> None:
    model, audio = tiny(), torch.randn(1, 16000)
    torch.testing.assert_close(model.predict(audio, "arkit", 60), model.predict(audio, "arkit", 60), atol=0, rtol=0)


def test_the_template_is_added_and_pca_decoded() -> None:
    model, audio = tiny(), torch.randn(1, 4000)
    with torch.no_grad():
        bare = model(audio, "head", 6)
    head = model.heads["head"]
    decoded = bare.coefficients @ head.basis.components + head.basis.mean
    torch.testing.assert_close(bare.values, decoded)
    torch.testing.assert_close(model.predict(audio, "head", 6), decoded + model.template("head"))
    assert model.template("arkit") is None
    assert model(audio, "arkit", 6).coefficients is None


def test_a_space_without_a_basis_has_no_coefficients() -> None:
    with pytest.raises(ValueError, match="arkit has no PCA basis"):
        tiny().encode(torch.zeros(1, 2, 5), "arkit")


def test_only_the_head_in_use_learns() -> None:
    model = tiny().train()
    model(torch.randn(1, 4000), "arkit", 6).values.sum().backward()
    assert all(parameter.grad is not None for parameter in model.heads["arkit"].parameters())
    assert all(parameter.grad is None for parameter in model.heads["head"].parameters())
    assert model.decoder.identities.weight.grad[2].ne(0).any()
    assert model.decoder.identities.weight.grad[:2].eq(0).all()


def test_auxiliary_heads_read_the_encoder_at_its_own_rate() -> None:
    model = tiny(MEL, auxiliary=(AuxiliaryConfig("phones", 7),))
    prediction = model(torch.randn(2, 16000), "arkit", 60)
    frames = prediction.features.shape[1]
    assert 49 <= frames <= 51
    assert prediction.auxiliary["phones"].shape == (2, frames, 7)
    torch.testing.assert_close(prediction.auxiliary["phones"], model.auxiliary["phones"](prediction.features))


@pytest.mark.parametrize("encoder", [TINY, WAV2VEC2, MEL])
def test_the_shortest_sounds_still_move_a_face(encoder) -> None:
    model = tiny(encoder)
    for samples in (1, 160, 399, 400, 401):
        assert model.predict(torch.randn(1, samples), "arkit", 1).isfinite().all()


@pytest.mark.parametrize("encoder", [TINY, WAV2VEC2, MEL])
def test_silence_gives_numbers(encoder) -> None:
    assert tiny(encoder).predict(torch.zeros(1, 8000), "arkit", 15).isfinite().all()


def test_wavlm_without_attention_maps_is_wavlm() -> None:
    from transformers.models.wavlm.modeling_wavlm import WavLMAttention

    encoder = build_encoder(TINY).eval()
    lean = encoder.network.encoder.layers[0].attention
    assert isinstance(lean, LeanAttention)
    usual = WavLMAttention(16, 2, 0.1, TINY.distance_buckets, TINY.distance_limit, has_relative_position_bias=True)
    usual.load_state_dict(lean.state_dict())
    usual.eval()
    hidden = torch.randn(2, 30, 16)
    for found, wanted in zip(lean(hidden)[::2], usual(hidden)[::2], strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert lean(hidden)[1] is None


def test_no_attention_maps_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments, **options):
        raise AssertionError("attention maps were computed")

    monkeypatch.setattr(functional, "multi_head_attention_forward", forbidden)
    monkeypatch.setattr(functional, "softmax", forbidden)
    for encoder in (TINY, WAV2VEC2):
        build_encoder(encoder).eval()(torch.randn(1, 4000))


def test_normalising_does_not_care_for_level_and_offset() -> None:
    audio = torch.randn(2, 5000)
    torch.testing.assert_close(standardise(3 * audio + 0.5), standardise(audio), atol=1e-4, rtol=0)
    assert standardise(torch.zeros(1, 100)).eq(0).all()


def test_the_small_encoder_needs_no_transformers() -> None:
    script = (
        "import sys; from backend.models.unitalker import *; from backend.models.audio_encoder import *; "
        "UniTalker(UniTalkerConfig(MelEncoderConfig(), 'conv', 8, 1, (HeadConfig('arkit', 52),))); "
        "print('transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


BAD_CONFIGS = [
    ({"heads": ()}, "at least one head"),
    ({"heads": (HEADS[0], HEADS[0])}, "a name of its own"),
    ({"identity_count": 0}, "1 to 65536"),
    ({"decoder": "transformer", "decoder_dimension": 10}, "multiple of 4"),
    ({"encoder": MEL, "interpolate_position": 0}, "only a speech encoder"),
    ({"dropout": 1.0}, "sizes of a UniTalker"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD_CONFIGS)
def test_impossible_configs_are_refused(changes: dict, sentence: str) -> None:
    usual = UniTalkerConfig(TINY, "conv", 8, 3, HEADS)
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(usual, **changes)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layers": 100}, "1 to 64 layers"),
        ({"convolution_kernels": (10,)}, "needs channels, a kernel and a stride"),
        ({"attention_heads": 3}, "multiple of its attention heads"),
        ({"width": 1 << 30}, "from 1 to 65536"),
    ],
)
def test_impossible_encoders_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(TINY, **change)


@pytest.mark.parametrize("name", ["", "a.b"])
def test_heads_need_names_that_files_can_hold(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        HeadConfig(name, 3)
    with pytest.raises(ValueError, match="cannot be an auxiliary head"):
        AuxiliaryConfig(name, 3)
