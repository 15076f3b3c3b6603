# SPDX-License-Identifier: GPL-3.0-or-later
"""In what precision a model computes, and models made ready to run in it.

Only big speech encoders gain by half precision; everything behind them, and the default model, stays in float32.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import torch

from .checkpoint import LoadedModel
from .models.audio_encoder import SpeechEncoderConfig

Precision: TypeAlias = Literal["auto", "fp32", "tf32", "bf16"]
"""``auto``: bf16 where the device multiplies it natively, else fp32; ``tf32``: float32 with shorter products (CUDA)."""
CHOICES: tuple[Precision, ...] = ("auto", "fp32", "tf32", "bf16")
SWIFT_DEVICES = ("cpu", "cuda")
"""Where `SwiftEncoder` runs; Metal has no float64, which it folds norms with."""


class PrecisionError(Exception):
    """The device cannot compute in the precision that was asked for; the sentence says what it can."""


def choose(wanted: Precision, device: str) -> Precision:
    """The precision for a device, never ``auto``. Raises `PrecisionError`."""
    if wanted == "auto":
        return "bf16" if has_native_bf16(device) else "fp32"
    if wanted == "tf32" and device != "cuda":
        raise PrecisionError(f"{device} has no tf32; use --precision fp32 or auto.")
    if wanted == "bf16" and device not in SWIFT_DEVICES:
        raise PrecisionError(f"bf16 is not for {device}; use --precision fp32 or auto.")
    return wanted


def has_native_bf16(device: str) -> bool:
    """Whether a device multiplies bfloat16 in hardware; without that it is slower than float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    abilities = getattr(torch.cpu, "get_capabilities", dict)()  # torch before 2.9 does not tell
    return device == "cpu" and bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))


def ready(loaded: LoadedModel, device: str, wanted: Precision = "auto") -> LoadedModel:
    """The model on its device, as fast as it runs there and of no more use for training.

    Raises `PrecisionError`, and nothing has changed.
    """
    precision = choose(wanted, device)
    if device == "cuda":
        _allow_tf32(precision != "fp32")
    model = loaded.model
    big = isinstance(model.config.encoder, SpeechEncoderConfig)
    if big and device in SWIFT_DEVICES:
        from .models.speech_encoder import SpeechEncoder  # imports transformers, which the default model never needs
        from .models.swift_encoder import SwiftEncoder

        if isinstance(model.encoder, SpeechEncoder):
            dtype = torch.bfloat16 if precision == "bf16" else torch.float32
            model.register_module("encoder", SwiftEncoder(model.encoder, dtype).eval())
    model.to(device)
    return replace(loaded, precision=precision if big else "fp32")


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
