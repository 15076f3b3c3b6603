# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files: one .safetensors holds one model with its face spaces, identity table and licence.

Weights, PCA bases and templates are tensors under the model's own names (PCA and templates never in half precision),
masks of a face space are ``spaces.NAME.lips`` and ``spaces.NAME.upper_face``. The metadata entry ``mouthpiece`` is one
JSON object, see `model_header`. Everything is checked against the config before a tensor is read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from . import model_header, whole_file
from .face import FaceSpace, Mesh
from .model_header import METADATA_KEY, MODELS, CheckpointError, Header, Model, ModelCard, SpaceRecord
from .models.unitalker import UniTalker
from .settings import SettingsError, from_plain

if TYPE_CHECKING:
    from .replay import Replays

__all__ = [
    "METADATA_KEY",
    "CheckpointError",
    "Header",
    "LoadedModel",
    "Model",
    "ModelCard",
    "SpaceRecord",
    "is_finite",
    "load",
    "read_header",
    "save",
]

MASKS = ("lips", "upper_face")
STORED = {"F32": torch.float32, "F16": torch.float16, "I64": torch.int64}


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run."""

    model: Model
    """In evaluation mode; as it was read, float32 and on the CPU."""
    spaces: Mapping[str, FaceSpace]
    """By name, the default first."""
    identities: tuple[str, ...]
    """Names of the identity rows without the pivot."""
    info: ModelCard
    file: Path | None = None
    """Where it was read from."""
    precision: str = "fp32"
    """What its speech encoder computes in; see `precision.ready`."""
    replays: Replays | None = field(default=None, repr=False, compare=False)
    """Recorded passes, where `precision.ready` found a device that gains by them."""
    rests: dict[tuple[str, int | None], np.ndarray] = field(default_factory=dict, repr=False, compare=False)
    """Rest poses that are known already, by space and identity row (`pipeline.rest_pose`)."""

    def unitalker(self) -> UniTalker:
        """The model, where a UniTalker is needed. Raises `CheckpointError` for another kind."""
        if not isinstance(self.model, UniTalker):
            raise CheckpointError(f"{self.info.name} is no UniTalker, and this needs one: name another model.")
        return self.model

    def with_flame(self, mesh: Mesh) -> LoadedModel:
        """The same model, with its FLAME parameters told as the vertices that they move."""
        spaces = {
            name: replace(space, mesh=mesh) if space.kind == "flame" else space for name, space in self.spaces.items()
        }
        return replace(self, spaces=spaces)


def load(path: Path) -> LoadedModel:
    """Read a model file; weights stay mapped from the disk where they are stored in float32.

    Raises `CheckpointError` for anything but a whole model file of this format.
    """
    with _opened(path) as file:
        header = model_header.parse(path, file.metadata())
        config_class, model_class = MODELS[header.model]
        try:
            config = from_plain(config_class, header.config, "config")
        except SettingsError as error:
            raise CheckpointError(f"{path} is damaged: {error}; get it again.") from error
        with torch.device("meta"):
            model = model_class(config)
        model_header.check_heads(path, header, config)
        expected = model.state_dict()
        masks = _check_tensors(path, file, expected, header)
        model.load_state_dict({name: _weights(path, file, name) for name in expected}, assign=True)
        indices = {name: file.get_tensor(name).numpy().copy() for name in masks}
    spaces = {record.name: _face_space(record, model, indices) for record in header.spaces}
    return LoadedModel(model.eval(), spaces, header.identities, header.card, path)


def read_header(path: Path) -> Header:
    """The JSON object of a model file, without its weights. Raises `CheckpointError`."""
    with _opened(path) as file:
        return model_header.parse(path, file.metadata())


def save(
    path: Path,
    model: Model,
    spaces: Sequence[FaceSpace],
    identities: Sequence[str],
    card: ModelCard,
    *,
    half: bool = False,
) -> None:
    """Write a model file; `path` appears only when it is whole.

    `spaces` are in the order of the model's heads; a template is the one that the model keeps. With `half`, trained
    parameters are stored in half precision (reading widens them). Raises `CheckpointError`.
    """
    header = model_header.describe(path, model, spaces, identities, card)
    trained = {name for name, _ in model.named_parameters()}
    tensors = {
        name: _stored(path, name, tensor, half and name in trained) for name, tensor in model.state_dict().items()
    }
    for space in spaces:
        for mask in MASKS if space.mesh is None else ():  # of no use to a reader without the mesh
            if (indices := getattr(space, mask)) is not None:
                tensors[f"spaces.{space.name}.{mask}"] = torch.from_numpy(np.asarray(indices, np.int64).copy())
    _write(path, tensors, {METADATA_KEY: model_header.text(path, header)})


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        opened = safe_open(path, framework="pt", device="cpu")
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no model file {path}; check the path.") from error
    except OSError as error:
        raise CheckpointError(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is no whole model file; get it again, or pass an official checkpoint through `convert`."
        ) from error
    with opened as file:
        yield file


def _check_tensors(path: Path, file: Any, expected: Mapping[str, Tensor], header: Header) -> list[str]:  # noqa: ANN401
    """Compare the file's tensors with the model's before any is read; gives the names of the masks."""
    possible = {f"spaces.{space.name}.{mask}": space for space in header.spaces for mask in MASKS}
    names = set(file.keys())
    if missing := sorted(expected.keys() - names):
        raise CheckpointError(f"{path} lacks the tensor {missing[0]}; get it again.")
    if unknown := sorted(names - expected.keys() - possible.keys()):
        raise CheckpointError(f"{path} holds a tensor that its model does not have: {unknown[0]}; get it again.")
    for name in sorted(names):
        stored = file.get_slice(name)
        shape, kind = tuple(stored.get_shape()), STORED.get(stored.get_dtype())
        if name in possible:
            if kind is not torch.int64 or len(shape) != 1:
                raise CheckpointError(f"The tensor {name} of {path} is no list of indices; get it again.")
        elif shape != tuple(expected[name].shape) or kind not in (torch.float32, torch.float16):
            found, wanted = f"{stored.get_dtype()} {list(shape)}", list(expected[name].shape)
            raise CheckpointError(
                f"The tensor {name} of {path} is {found}; its model has floats of shape {wanted}. Get it again."
            )
    return sorted(names & possible.keys())


def _weights(path: Path, file: Any, name: str) -> Tensor:  # noqa: ANN401 (safe_open has no public type)
    tensor = file.get_tensor(name).float()
    if not is_finite(tensor):
        raise CheckpointError(f"The tensor {name} of {path} holds values that are no numbers; get the file again.")
    return tensor


def is_finite(tensor: Tensor) -> bool:
    """Whether a tensor is free of NaN and infinity; needs no second copy of it, unlike `torch.isfinite`."""
    return tensor.numel() == 0 or all(math.isfinite(limit) for limit in torch.aminmax(tensor))


def _face_space(record: SpaceRecord, model: Model, indices: Mapping[str, np.ndarray]) -> FaceSpace:
    points = record.dim // 3 if record.kind == "vertices" else record.dim
    masks = {mask: indices.get(f"spaces.{record.name}.{mask}") for mask in MASKS}
    for name, mask in masks.items():
        if mask is not None and mask.size and not 0 <= mask.min() <= mask.max() < points:
            raise CheckpointError(
                f"The {name} indices of {record.name} point outside its {points} points; get the file again."
            )
    template = model.template(record.name)
    return replace(record.space(), template=None if template is None else template.numpy(), **masks)


def _stored(path: Path, name: str, tensor: Tensor, half: bool) -> Tensor:
    stored = tensor.detach().to("cpu", torch.float16 if half else torch.float32).contiguous()
    if not is_finite(stored):
        raise CheckpointError(f"{path} was not written: the tensor {name} holds values that are no (half) numbers.")
    return stored


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    try:
        with whole_file.written(path) as partial:
            save_file(dict(tensors), partial, metadata)
            partial.chmod(0o644)  # safetensors makes files that only their owner can read
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be written: {error}.") from error
