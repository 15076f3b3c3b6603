# SPDX-License-Identifier: GPL-3.0-or-later
"""In what precision a model computes, and models made ready to run in it.

Only speech encoders gain by half precision; everything behind them stays in float32.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from .checkpoint import LoadedModel, Model
from .fidelity import LARGEST_ERROR, Original, original
from .models.mel_encoder import MelEncoder
from .models.speech_config import SpeechEncoderConfig
from .models.unitalker import UniTalker

if TYPE_CHECKING:
    from .replay import Record

Precision: TypeAlias = Literal["auto", "fp32", "tf32", "bf16", "fp16"]
"""``auto``: half where the device is fast at it, else fp32; ``tf32``: float32 with shorter products (CUDA)."""
HALF: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
SWIFT_DEVICES = ("cpu", "cuda")
"""Where `SwiftEncoder` runs; Metal has no float64, which it folds norms with."""
_TENSOR_CORES = (7, 0)
"""The first CUDA devices that are faster in fp16 than in float32."""

_log = logging.getLogger(__name__)


class PrecisionError(Exception):
    """The device cannot compute in the precision that was asked for; the sentence says what it can."""


def choose(wanted: Precision, device: str) -> Precision:
    """The precision for a device, never ``auto``. Raises `PrecisionError`."""
    if wanted == "auto":
        return _fastest(device)
    if wanted in ("tf32", "fp16") and device != "cuda":
        raise PrecisionError(f"{device} has no {wanted}; use --precision fp32 or auto.")
    if wanted == "bf16" and device not in SWIFT_DEVICES:
        raise PrecisionError(f"bf16 is not for {device}; use --precision fp32 or auto.")
    return wanted


def _fastest(device: str) -> Precision:
    if has_native_bf16(device):
        return "bf16"
    return "fp16" if device == "cuda" and torch.cuda.get_device_capability() >= _TENSOR_CORES else "fp32"


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
    model = loaded.model
    if not isinstance(model.config.encoder, SpeechEncoderConfig):
        return _small_ready(loaded, device, precision)
    if device == "cuda":
        allow_tf32(precision == "tf32")
        if isinstance(model, UniTalker):
            from .cuda_graph import Recorder

            return recorded(loaded, device, precision, Recorder())
    if device in SWIFT_DEVICES:
        _quicken(model, precision)
    model.to(device)
    return replace(loaded, precision=precision)


def _small_ready(loaded: LoadedModel, device: str, precision: Precision) -> LoadedModel:
    """A model with a small encoder: it gains by half precision where a processor has that, and nothing on a card."""
    if device != "cpu" or precision not in HALF:
        loaded.model.to(device)
        return replace(loaded, precision="fp32")
    for module in loaded.model.modules():
        if isinstance(module, MelEncoder):
            module.multiply_in(HALF[precision])
    return replace(loaded, precision=precision)


def recorded(loaded: LoadedModel, device: str, precision: Precision, record: Record) -> LoadedModel:
    """A UniTalker whose passes are recorded, and compared with what it says now, before it is made faster.

    Where half precision is too far off it computes in float32.
    """
    from .replay import Replays

    model = loaded.unitalker()
    model.to(device)
    rates = {name: space.fps for name, space in loaded.spaces.items()}
    plain = original(model, set(rates.values()))
    if precision in HALF and not _is_faithful(model, precision, rates, plain):
        _log.warning("%s is too inexact in %s and computes in fp32.", loaded.info.name, precision)
        precision = "fp32"
    _quicken(model, precision)
    return replace(loaded, precision=precision, replays=Replays(model, rates, plain, record))


def _is_faithful(model: UniTalker, precision: Precision, rates: dict[str, float], plain: Original) -> bool:
    """Whether the model in half precision says what it says in float32, in every space; it has not changed."""
    trained = model.encoder
    try:
        model.encoder = copy.deepcopy(trained)
        _quicken(model, precision)
        errors = {
            space: plain.error(model, space, fps, model.predict(plain.probe, space, plain.frames(fps)))
            for space, fps in rates.items()
        }
    finally:
        model.encoder = trained
    for space, error in errors.items():
        _log.info("in %s, the largest error in %s is %.2g of the range", precision, space, error)
    return all(error <= LARGEST_ERROR for error in errors.values())


def _quicken(model: Model, precision: Precision) -> None:
    """Exchange the encoder for one with its weights that only runs."""
    from .models.speech_encoder import SpeechEncoder  # imports transformers, which the default model never needs
    from .models.swift_encoder import SwiftEncoder

    if isinstance(model.encoder, SpeechEncoder):
        model.register_module("encoder", SwiftEncoder(model.encoder, HALF.get(precision, torch.float32)).eval())


def allow_tf32(allowed: bool) -> None:
    """Whether CUDA makes shorter products of float32 numbers from now on; a recorded pass stays as it was recorded."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
