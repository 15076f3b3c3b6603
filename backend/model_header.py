# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model file says about its model: the JSON object in its metadata, checked before any weight is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from .face import FaceSpace, Kind
from .models.diffusion_talker import DiffusionTalker
from .models.talker_config import DiffusionTalkerConfig
from .models.unitalker import UniTalker, UniTalkerConfig
from .settings import from_plain, to_plain

FORMAT = 1
"""Raised with every change that an older reader would misunderstand."""
METADATA_KEY = "mouthpiece"
Model: TypeAlias = UniTalker | DiffusionTalker
MODELS: dict[str, tuple[Any, type[Model]]] = {
    "unitalker": (UniTalkerConfig, UniTalker),
    "diffusion_talker": (DiffusionTalkerConfig, DiffusionTalker),
}
"""The kinds of models, by the name in their files: what they are built from, and what is built."""


class CheckpointError(Exception):
    """A model file cannot be read or written; the message is one sentence for the user."""


@dataclass(frozen=True)
class ModelCard:
    """What people want to know about a model."""

    name: str
    title: str
    licence: str
    training: dict[str, Any] = field(default_factory=dict)
    """Free JSON: data, command, figures."""


@dataclass(frozen=True)
class SpaceRecord:
    """The part of a FaceSpace that is kept as JSON; its arrays are tensors."""

    name: str
    kind: Kind
    fps: float
    dim: int
    channels: tuple[str, ...]
    scale: float
    limits: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fps) and self.fps > 0 and math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"the rate and scale of {self.name} must be positive numbers")
        if self.channels and len(self.channels) != self.dim:
            raise ValueError(f"{self.name} has {self.dim} numbers but {len(self.channels)} channel names")
        ordered = all(len(pair) == 2 and -math.inf < pair[0] < pair[1] < math.inf for pair in self.limits)
        if not ordered or len(self.limits) not in (0, self.dim):
            raise ValueError(f"the limits of {self.name} are no lowest and highest value for each number")

    @classmethod
    def of(cls, space: FaceSpace) -> SpaceRecord:
        """What is kept of a space; ValueError for one that cannot be."""
        return cls(space.name, space.kind, space.fps, space.dim, space.channels, space.scale, space.limits)

    def space(self) -> FaceSpace:
        """The space without its arrays."""
        return FaceSpace(self.name, self.kind, self.fps, self.dim, self.channels, self.limits, self.scale)


@dataclass(frozen=True)
class Header:
    """The JSON object of a model file."""

    format: int
    model: str
    config: dict[str, Any]
    spaces: tuple[SpaceRecord, ...]
    identities: tuple[str, ...]
    card: ModelCard

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"the kind of model {self.model!r} is unknown")
        if len(set(self.identities)) != len(self.identities):
            raise ValueError("two identities have the same name")


def describe(
    path: Path, model: Model, spaces: Sequence[FaceSpace], identities: Sequence[str], card: ModelCard
) -> Header:
    """What the file `path` will say; raises `CheckpointError` where model, spaces and names do not fit each other."""
    kind = next(name for name, (_, model_class) in MODELS.items() if isinstance(model, model_class))
    try:
        records = tuple(SpaceRecord.of(space) for space in spaces)
        header = Header(FORMAT, kind, to_plain(model.config), records, tuple(identities), card)
    except ValueError as error:
        raise CheckpointError(f"{path} was not written: {error}.") from error
    check_heads(path, header, model.config)
    return header


def text(path: Path, header: Header) -> str:
    """The header as it stands in the file; raises `CheckpointError`."""
    try:
        return json.dumps(to_plain(header), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} was not written: the model card holds a value that JSON cannot.") from error


def parse(path: Path, metadata: Mapping[str, str] | None) -> Header:
    """The header out of a file's metadata; raises `CheckpointError` for anything but one of this format."""
    found = (metadata or {}).get(METADATA_KEY)
    if found is None:
        raise CheckpointError(
            f"{path} is no Mouthpiece model; pass official UniTalker weights through `convert` first."
        )
    try:
        plain = json.loads(found, parse_constant=_refuse_constant)
        if isinstance(plain, dict) and plain.get("format") != FORMAT:
            version = plain.get("format")
            raise CheckpointError(
                f"{path} has format {version!r} and this Mouthpiece reads {FORMAT}: update Mouthpiece."
            )
        return from_plain(Header, plain, "its description")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; get it again.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"its description holds {name}")


def check_heads(path: Path, header: Header, config: UniTalkerConfig | DiffusionTalkerConfig) -> None:
    """Raise `CheckpointError` where the header does not speak of the model that the config builds."""
    spaces = [(space.name, space.dim) for space in header.spaces]
    if spaces != [(head.space, head.dim) for head in config.heads]:
        raise CheckpointError(f"The face spaces of {path} are not those of its heads; get it again.")
    named, rows = len(header.identities), config.identity_count - 1
    if named != rows:
        raise CheckpointError(f"{path} names {named} identities; its table has {rows} and the pivot; get it again.")
