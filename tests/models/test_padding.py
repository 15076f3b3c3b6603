# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip in a padded batch gives what it gives alone, values and gradients, through every mixture of parts."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from backend.models.audio_encoder import MelEncoderConfig
from backend.models.layers import Lengths, adapt_frequency
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

GROUP_NORM = SpeechEncoderConfig(
    "wavlm", width=16, layers=2, attention_heads=2, feed_forward=32, convolution_channels=(8,) * 7, dropout=0.0
)
LAYER_NORM = dataclasses.replace(
    GROUP_NORM, kind="wav2vec2", convolution_norm="layer", stable_layer_norm=True, normalise_audio=True
)
MEL = MelEncoderConfig(width=16, blocks=2, dilations=(1, 2))
MEL_IN_CONTEXT = dataclasses.replace(MEL, context=4)
MEL_OF_FORMANTS = dataclasses.replace(MEL, context=4, formants=2)
MEL_ABOVE_FLOOR = dataclasses.replace(MEL_OF_FORMANTS, above_floor=True)
SAMPLES, FRAMES = (9000, 16000, 399), (17, 30, 1)
MIXTURES = [
    (encoder, decoder, position)
    for encoder, decoder, position in itertools.product(
        (GROUP_NORM, LAYER_NORM, MEL, MEL_IN_CONTEXT, MEL_OF_FORMANTS, MEL_ABOVE_FLOOR),
        ("conv", "transformer"),
        (0, 1, 2),
    )
    if not (isinstance(encoder, MelEncoderConfig) and position == 0)
]


def model_of(encoder, decoder: str, position: int) -> UniTalker:
    torch.manual_seed(1)
    heads = (HeadConfig("arkit", 5),)
    model = UniTalker(UniTalkerConfig(encoder, decoder, 8, 4, heads, interpolate_position=position)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize(("encoder", "decoder", "position"), MIXTURES)
def test_padding_changes_no_value_and_no_gradient(encoder, decoder: str, position: int) -> None:
    model = model_of(encoder, decoder, position)
    audio = [torch.randn(samples) for samples in SAMPLES]
    padded = torch.nn.utils.rnn.pad_sequence(audio, batch_first=True)
    lengths = Lengths(torch.tensor(SAMPLES), torch.tensor(FRAMES))
    identity = torch.tensor([0, 2, 3])
    together = model(padded, "arkit", max(FRAMES), identity, lengths=lengths).values
    torch.stack(
        [values[:frames].square().sum() for values, frames in zip(together, FRAMES, strict=True)]
    ).sum().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    for number, (sound, frames) in enumerate(zip(audio, FRAMES, strict=True)):
        alone = model(sound[None], "arkit", frames, identity[number : number + 1]).values
        torch.testing.assert_close(together[number, :frames], alone[0], atol=2e-5, rtol=1e-4)
        alone.square().sum().backward()
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        if parameter.grad is None:
            assert gradient is None, name
        elif not name.endswith("k_proj.bias"):  # its true gradient is zero
            torch.testing.assert_close(gradient, parameter.grad, atol=1e-3, rtol=1e-3, msg=name)


def test_rows_are_resampled_each_from_its_own_length() -> None:
    features = torch.randn(3, 40, 6)
    heard, wanted = torch.tensor([40, 23, 1]), torch.tensor([31, 50, 7])
    together = adapt_frequency(features, 50, heard, wanted)
    for number in range(3):
        alone = adapt_frequency(features[number : number + 1, : heard[number]], int(wanted[number]))
        torch.testing.assert_close(together[number, : wanted[number]], alone[0], atol=1e-5, rtol=1e-5)
