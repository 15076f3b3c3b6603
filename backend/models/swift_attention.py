# SPDX-License-Identifier: GPL-3.0-or-later
"""The attention of a `SwiftEncoder`, with WavLM's distances, and with keys that count for nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import frozen
from .speech_config import SpeechEncoderConfig


class Distances(nn.Module):
    """WavLM's bias for how far a frame lies behind another one, the same for all layers but for their gates."""

    def __init__(self, config: SpeechEncoderConfig, attention: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.limit = config.distance_limit
        ahead = attention.compute_bias(1, self.limit + 1)[:, 0]
        behind = attention.compute_bias(self.limit + 1, 1)[..., 0]  # not the square of both: no file bounds the limit
        strip = torch.cat((behind[:, 1:].flip(1), ahead), dim=1)
        self.register_buffer("strip", strip.detach(), persistent=False)

    def forward(self, length: int, dtype: torch.dtype) -> Tensor:
        """[heads, length, length] for queries and, backwards, keys; a view of a strip, so that it costs no memory."""
        strip = self.get_buffer("strip")
        behind = torch.arange(length - 1, -length, -1, device=strip.device).clamp(-self.limit, self.limit)
        return strip[:, behind + self.limit].to(dtype).unfold(1, length, 1)


class Attention(nn.Module):
    """Attention of all frames to all frames, with WavLM's gates where there are distances."""

    def __init__(self, heads: int, attention: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = attention.q_proj, attention.k_proj, attention.v_proj
        self.outward = attention.out_proj
        if gate := getattr(attention, "gru_rel_pos_linear", None):
            # the network adds up four numbers for each of two gates, which one row does as well
            self.gate_weight = frozen(gate.weight.float().unflatten(0, (2, 4)).sum(1))
            self.gate_bias = frozen(gate.bias.float().unflatten(0, (2, 4)).sum(1))
            self.gate_scale = frozen(attention.gru_rel_pos_const.float())

    def forward(self, hidden: Tensor, distances: Tensor | None, real: Tensor | None) -> Tensor:
        """Hidden [B, t, width] and distances as `Distances` gives them to [B, t, width].

        Nobody looks at frames that are not `real`, bool [B, 1, 1, t]; None: all are.
        """
        parts = (part(hidden).unflatten(2, (self.heads, -1)) for part in (self.query, self.key, self.value))
        query, key, value = (part.transpose(1, 2) for part in parts)
        if distances is None:
            mixed = attend(query, key, value, real=real)
        else:
            real = None if real is None else real.flip(3)
            mixed = attend(query, key.flip(2), value.flip(2), self._gates(hidden), distances, real)
        return self.outward(mixed.transpose(1, 2).flatten(2))

    def _gates(self, hidden: Tensor) -> Tensor:
        """[B, heads, t, 1]: how much each frame goes by distances."""
        heads = hidden.float().unflatten(2, (self.heads, -1)).transpose(1, 2)
        first, second = functional.linear(heads, self.gate_weight, self.gate_bias).sigmoid().chunk(2, dim=3)
        return (first * (second * self.gate_scale - 1) + 2).to(hidden.dtype)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    gates: Tensor | None = None,
    distances: Tensor | None = None,
    real: Tensor | None = None,
) -> Tensor:
    """Attention [B, heads, t, d]; gates [B, heads, t, 1] times distances [heads, t, t] are added to the scores.

    Keys that are not `real`, bool [B, 1, 1, t], count for nothing. On a processor head by head, so that the scores of
    one stay in its cache.
    """
    if query.device.type != "cpu":
        mask = _mask(None if gates is None or distances is None else (gates, distances), real)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    mixed = torch.empty_like(query)
    for head in range(query.shape[1]):
        one = slice(head, head + 1)
        bias = None if gates is None or distances is None else (gates[:, one], distances[one])
        mixed[:, one] = _attend_head(query[:, one], key[:, one], value[:, one], bias, real)
    return mixed


def _attend_head(
    query: Tensor, key: Tensor, value: Tensor, bias: tuple[Tensor, Tensor] | None, real: Tensor | None
) -> Tensor:
    """[B, 1, t, d]. torch's fused attention is the faster one in float32 and, on processors, the slower in bfloat16."""
    if query.dtype == torch.float32:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=_mask(bias, real))
    scores = query * query.shape[3] ** -0.5 @ key.mT
    if bias is not None:
        scores = torch.addcmul(scores, *bias)
    return (scores if real is None else scores.masked_fill(~real, -torch.inf)).softmax(dim=3) @ value


def _mask(bias: tuple[Tensor, Tensor] | None, real: Tensor | None) -> Tensor | None:
    """What torch's attention takes: gates times distances, -inf for keys that are not real; or which keys are."""
    if bias is None:
        return real
    added = bias[0] * bias[1]
    return added if real is None else added.masked_fill(~real, -torch.inf)
