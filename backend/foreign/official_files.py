# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files of an official UniTalker release: checkpoint, config, PCA bases, templates. Runs no code in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from backend import npz
from backend.checkpoint import METADATA_KEY
from backend.settings import SettingsError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from . import torch_file
from .official import Layout, current_name, read_layout

FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
MOST_BYTES = 1 << 31
"""Of the arrays in an npz: three times the PCA basis of the largest released head."""


class ConvertError(Exception):
    """A checkpoint or a file beside it cannot be converted; the message is one sentence for the user."""


class Basis(NamedTuple):
    """A PCA basis of face motion."""

    components: Tensor
    """float32 [components, dim]."""
    mean: Tensor
    """float32 [dim]."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.pt`` or ``.safetensors`` checkpoint under today's names, mapped from the disk.

    Raises `ConvertError` for a file that is damaged or holds anything but floating-point tensors.
    """
    try:
        tensors = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    except FileNotFoundError as error:
        raise ConvertError(f"There is no checkpoint {path}; check the path.") from error
    except OSError as error:
        raise ConvertError(f"The checkpoint {path} cannot be read: {error.strerror or error}.") from error
    named: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.dtype not in FLOATS:
            raise ConvertError(
                f"{path} is no UniTalker checkpoint: {name!r} is no tensor of floating-point numbers; choose another."
            )
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise ConvertError(
                f"{path} is no UniTalker checkpoint: {name!r} claims more numbers than there are; get it again."
            )
        named[current_name(str(name))] = tensor
    return named


def read_config(path: Path) -> Layout:
    """The layout in a config file. Raises `ConvertError`."""
    try:
        return read_layout(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConvertError(f"The config {path} cannot be read: {error.strerror or error}.") from error
    except SettingsError as error:
        raise ConvertError(f"The config {path} does not describe a UniTalker: {error}; correct it.") from error
    except (ValueError, RecursionError) as error:
        raise ConvertError(f"The config {path} is no JSON file; correct or leave it out.") from error


def read_basis(folder: Path, space: str, components: int, dim: int) -> Basis | None:
    """The first `components` rows of ``SPACE.npz``; None where the folder has no such file. Raises `ConvertError`."""
    if not folder.is_dir():
        raise ConvertError(f"There is no folder {folder} with PCA files; check --pca.")
    path = folder / f"{space}.npz"
    if not path.exists():
        return None
    arrays = _arrays(path)
    for name in ("components_to_data", "original_data_mean"):
        if name not in arrays:
            raise ConvertError(f"The PCA file {path} has no {name}; get it again.")
    rows, mean = arrays["components_to_data"], arrays["original_data_mean"].reshape(-1)
    if rows.ndim != 2 or rows.shape[1] != dim or len(rows) < components or len(mean) != dim:
        shape = list(rows.shape)
        raise ConvertError(
            f"The PCA file {path} has components of shape {shape}; [{components} or more, {dim}] is needed."
        )
    return Basis(torch.from_numpy(rows[:components].copy()), torch.from_numpy(mean.copy()))


def read_templates(path: Path, dims: Mapping[str, int]) -> dict[str, Tensor]:
    """float32 [dim] by space out of an npz file with one array per space. Raises `ConvertError`."""
    arrays = _arrays(path)
    for name, array in arrays.items():
        if name not in dims:
            raise ConvertError(f"The templates {path} hold {name!r}; the checkpoint's spaces are {', '.join(dims)}.")
        if array.size != dims[name]:
            raise ConvertError(
                f"The template {name} in {path} has {array.size} numbers instead of {dims[name]}; choose another file."
            )
    return {name: torch.from_numpy(array.reshape(-1).copy()) for name, array in arrays.items()}


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            if METADATA_KEY in (file.metadata() or {}):
                raise ConvertError(f"{path} is a Mouthpiece model already; use it as it is.")
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except SafetensorError as error:
        raise ConvertError(f"{path} is no whole safetensors file; get it again.") from error


def _torch_file(path: Path) -> dict[object, object]:
    try:
        loaded = torch_file.load(path)
    except torch_file.TorchFileError as error:
        raise ConvertError(str(error)) from error
    if not isinstance(loaded, dict):
        raise ConvertError(f"{path} is no UniTalker checkpoint: it is no table of tensors; choose another file.")
    return loaded


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file as float32, all of them finite."""
    try:
        arrays = {name: np.asarray(array, np.float32) for name, array in npz.read(path, MOST_BYTES).items()}
    except FileNotFoundError as error:
        raise ConvertError(f"There is no file {path}; check the path.") from error
    except (OSError, TypeError, ValueError) as error:
        raise ConvertError(f"{path} is no npz file of numbers; get it again.") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ConvertError(f"The array {name} in {path} holds values that are no numbers; get it again.")
    return arrays
