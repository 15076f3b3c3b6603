# SPDX-License-Identifier: GPL-3.0-or-later
"""The building blocks, by hand-worked numbers."""

from __future__ import annotations

import math

import torch

from backend.models.layers import (
    ConvolutionBlock,
    Dropout,
    PrincipalComponents,
    TransformerDecoder,
    adapt_frequency,
    fading_past,
    output_layers,
    sinusoids,
)


def test_time_is_resampled_linearly_and_keeps_both_ends() -> None:
    ramp = torch.arange(5.0)[None, :, None] * torch.tensor([1.0, -2.0])
    resampled = adapt_frequency(ramp, 9)
    torch.testing.assert_close(resampled[0, :, 0], torch.arange(9.0) / 2)
    torch.testing.assert_close(resampled[0, :, 1], -torch.arange(9.0))
    assert adapt_frequency(ramp[:, :1], 3).shape == (1, 3, 2)


def test_attention_to_the_past_fades_by_whole_periods() -> None:
    mask = fading_past(torch.arange(5), 2, torch.float32)
    assert mask.shape == (4, 5, 5)
    torch.testing.assert_close(mask[0, 4], torch.tensor([-0.5, -0.25, -0.25, 0.0, 0.0]))
    torch.testing.assert_close(mask[3, 4], torch.tensor([-2.0, -1.0, -1.0, 0.0, 0.0]) / 256)
    assert mask[:, 1, 2:].eq(-math.inf).all()


def test_positions_are_sines_and_cosines() -> None:
    table = sinusoids(3, 4)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1.0, 0.0, 1.0]))
    angles = [2.0, 2.0, 0.02, 0.02]
    expected = [math.sin(angles[0]), math.cos(angles[1]), math.sin(angles[2]), math.cos(angles[3])]
    torch.testing.assert_close(table[2], torch.tensor(expected))
    assert sinusoids(3, 5).shape == (3, 5)


def test_the_skip_is_a_convolution_only_where_the_width_changes() -> None:
    assert not list(ConvolutionBlock(4, 4).skip.parameters())
    assert ConvolutionBlock(6, 4).skip.weight.shape == (4, 6, 3)
    assert ConvolutionBlock(6, 4)(torch.randn(2, 7, 6)).shape == (2, 7, 4)


def test_a_basis_encodes_what_it_decodes() -> None:
    basis = PrincipalComponents(3, 8)
    basis.components.copy_(torch.linalg.qr(torch.randn(8, 3))[0].T)
    basis.mean.copy_(torch.randn(8))
    coefficients = torch.randn(2, 5, 3)
    torch.testing.assert_close(basis.encode(basis.decode(coefficients)), coefficients)


def test_a_single_output_layer_starts_at_zero_and_a_stack_does_not() -> None:
    hidden = torch.randn(2, 3, 6)
    assert output_layers(6, 4, 1)(hidden).eq(0).all()
    stack = output_layers(6, 4, 3)
    assert [type(layer).__name__ for layer in stack] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert stack(hidden).ne(0).any()


def test_the_transformer_decoder_hears_only_its_own_frame_and_no_future() -> None:
    torch.manual_seed(0)
    decoder = TransformerDecoder(6, 8, identities=3, period=4, dropout=0.0).eval()
    audio, identity = torch.randn(1, 10, 6), torch.tensor([1])
    changed = audio.clone()
    changed[0, 6] += 1
    with torch.no_grad():
        differs = (decoder(audio, identity) - decoder(changed, identity)).abs().amax(dim=(0, 2)) > 1e-6
    assert differs.tolist() == [False] * 6 + [True] + [False] * 3


def test_the_transformer_decoder_runs_past_three_thousand_frames() -> None:
    decoder = TransformerDecoder(4, 4, identities=1, period=30, dropout=0.0).eval()
    with torch.no_grad():
        assert decoder(torch.randn(1, 3100, 4), torch.tensor([0])).isfinite().all()


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    values = torch.ones(7, 501, 33)
    dropout = Dropout(0.3)
    kept = dropout(values)
    assert abs((kept == 0).float().mean().item() - 0.3) < 0.005
    assert abs(kept.mean().item() - 1) < 0.01
    assert kept.unique().numel() == 2
    for axis in range(3):  # every place has its own coin
        shares = (kept == 0).float().mean(dim=[other for other in range(3) if other != axis])
        assert shares.min() > 0
        assert shares.max() < 0.6
    torch.manual_seed(0)
    assert torch.equal(dropout(values), kept)
    assert torch.equal(dropout.eval()(values), values)


def test_dropout_keeps_the_type_and_lets_gradients_through() -> None:
    values = torch.ones(64, requires_grad=True)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())
    assert Dropout(0.5)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16
