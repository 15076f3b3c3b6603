# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech encoders that others trained without motion: a folder of WavLM, wav2vec 2.0 or HuBERT, saved by transformers.

config.json says the sizes, model.safetensors or pytorch_model.bin holds the weights; preprocessor_config.json, where
there is one, says whether clips are brought to unit variance first. Nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend import checkpoint
from backend.foreign import official, official_files
from backend.settings import SettingsError
from backend.training.errors import ConfigError
from torch import Tensor

if TYPE_CHECKING:
    from backend.models.speech_encoder import SpeechEncoder  # transformers takes seconds to import

KINDS = {"wavlm": "wavlm", "wav2vec2": "wav2vec2", "hubert": "wav2vec2"}
"""Our kind of encoder by `model_type`; HuBERT is built as wav2vec 2.0."""
CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
MASK = "masked_spec_embed"
"""Some checkpoints lack it; it is of no use here."""


def with_sizes(table: dict[str, Any]) -> dict[str, Any]:
    """The plain values of a training config whose `model.encoder.pretrained` names a folder, with its encoder's sizes.

    What the config says itself about the encoder, such as its dropout, counts more. ConfigError.
    """
    encoder = table.get("model", {}).get("encoder", {})
    folder = encoder.get("pretrained")
    if folder is None:
        return table
    found = _described(Path(folder).expanduser())
    given = {name: value for name, value in encoder.items() if name != "pretrained"}
    if given.get("kind", found["kind"]) != found["kind"]:
        raise ConfigError(f"{folder} holds a {found['kind']} encoder, and the config asks for {given['kind']}.")
    return {**table, "pretrained": folder, "model": {**table["model"], "encoder": {**found, **given}}}


def load_into(encoder: SpeechEncoder, folder: Path) -> None:
    """Fills an encoder with the weights in a folder. ConfigError for weights that are not of its sizes."""
    path, stored = _weights(folder)
    wanted = encoder.network.state_dict()
    found = {name: tensor for name, tensor in _of_encoder(stored).items() if name in wanted}
    if missing := sorted(wanted.keys() - found.keys() - {MASK}):
        raise ConfigError(f"{path} lacks the tensor {missing[0]}.")
    for name, tensor in found.items():
        if tensor.shape != wanted[name].shape:
            shapes = list(tensor.shape), list(wanted[name].shape)
            raise ConfigError(f"The tensor {name} of {path} is {shapes[0]}, and the encoder's is {shapes[1]}.")
        if not checkpoint.is_finite(tensor):
            raise ConfigError(f"The tensor {name} of {path} holds numbers that are NaN or infinite.")
    encoder.network.load_state_dict(wanted | found)


def _described(folder: Path) -> dict[str, Any]:
    """The plain SpeechEncoderConfig of a folder."""
    settings = _read_json(folder / CONFIG)
    kind = KINDS.get(str(settings.get("model_type")))
    if kind is None:
        known = ", ".join(KINDS)
        raise ConfigError(f"{folder / CONFIG} describes a {settings.get('model_type')}; there can be {known}.")
    normalised = settings.get("feat_extract_norm") == "layer"
    if (folder / PREPROCESSOR).is_file():
        normalised = bool(_read_json(folder / PREPROCESSOR).get("do_normalize", normalised))
    try:
        return {"kind": kind, **official.encoder_fields(settings, CONFIG), "normalise_audio": normalised}
    except SettingsError as error:
        raise ConfigError(f"{folder} cannot be used: {error}.") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read; model.encoder.pretrained names a folder with it.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON file.") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no settings.")
    return found


def _weights(folder: Path) -> tuple[Path, dict[str, Tensor]]:
    """The file of weights in a folder and its tensors by today's names."""
    path = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        raise ConfigError(f"{folder} holds neither {' nor '.join(WEIGHTS)}.")
    try:
        return path, official_files.read_tensors(path)
    except official_files.ConvertError as error:
        raise ConfigError(str(error)) from error


def _of_encoder(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Models with a task of their own keep the encoder under its kind's name."""
    prefix = next((f"{kind}." for kind in KINDS if any(name.startswith(f"{kind}.") for name in stored)), "")
    return {name.removeprefix(prefix): tensor.float() for name, tensor in stored.items()}
