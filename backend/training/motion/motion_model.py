# SPDX-License-Identifier: GPL-3.0-or-later
"""The model that a run on annotated motion begins with: trunk of the config or of a model file, heads of the data.

Of a model file, everything whose meaning stays is kept: the encoder always, the decoder unless a new one is asked for,
heads of the same FaceSpaces, and the rows of identities by name. New identities start where the pivot is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from backend.checkpoint import LoadedModel
from backend.face import FaceSpace
from backend.models.unitalker import Head, HeadConfig, UniTalker, UniTalkerConfig
from backend.training.errors import ConfigError, CorpusError
from torch import Tensor

from . import pretrained
from .config import HeadsConfig, MotionConfig, TrunkConfig
from .motion_set import MotionSet, same_numbers
from .principal_components import PrincipalComponents

if TYPE_CHECKING:
    from backend.models.speech_encoder import SpeechEncoder

IDENTITIES = "decoder.identities.weight"
DECODER_STAYS = ("heads", "identities")
"""What learns where all heads of the model to begin with stay valid."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """A model before its first step."""

    model: UniTalker
    spaces: dict[str, FaceSpace]
    """In the order of the model's heads, those of the data first."""
    identities: tuple[str, ...]
    """Names of the rows of the identity table, without the pivot."""


@dataclass(frozen=True, eq=False)
class NewSpace:
    """What the data says about a FaceSpace that the model to begin with does not have."""

    space: FaceSpace
    basis: PrincipalComponents | None
    template: np.ndarray
    """float32 [dim]: the mean neutral face of everybody who speaks in it."""

    def head(self, config: HeadsConfig) -> HeadConfig:
        count = 0 if self.basis is None else min(config.components, len(self.basis.components))
        return HeadConfig(self.space.name, self.space.dim, count, config.layers, bool(self.template.any()))


def build(
    config: MotionConfig, sets: Sequence[MotionSet], begin: LoadedModel | None = None, *, new_decoder: bool = False
) -> Beginning:
    """A model for data sets: fresh, or what can be kept of `begin`. The seed decides about everything that is new.

    Raises CorpusError for data sets that do not go together, ConfigError for a trunk that is missing or not that of
    `begin`.
    """
    if new_decoder and config.learn in DECODER_STAYS:
        raise ConfigError('A new decoder must learn; set learn to "all" or "decoder".')
    if begin is not None and config.pretrained:
        raise ConfigError(f"{begin.info.name} has an encoder already; leave out --from, or model.encoder.pretrained.")
    torch.manual_seed(config.seed)
    trunk, spaces = _trunk(config.model, begin, new_decoder), spaces_of(sets)
    stays = _staying(config, spaces, {} if begin is None or new_decoder else begin.spaces)
    new = {name: new_space(space, sets) for name, space in spaces.items() if name not in stays}
    heads = {name: each.head(config.heads) for name, each in new.items()}
    if begin is not None:
        heads |= {head.space: head for head in begin.unitalker().config.heads if head.space in stays}
    order = [*spaces, *(name for name in stays if name not in spaces)]
    before = () if begin is None or new_decoder else begin.identities
    identities = (*before, *(name for name in speakers_of(sets) if name not in before))
    model = _fresh(trunk, [heads[name] for name in order], len(identities) + 1)
    _fill(model, new)
    if config.pretrained:
        pretrained.load_into(cast("SpeechEncoder", model.encoder), Path(config.pretrained).expanduser())
    if begin is not None:
        _inherit(model, begin, stays, new_decoder)
    return Beginning(model, {name: (spaces | stays)[name] for name in order}, identities)


def _staying(
    config: MotionConfig, spaces: Mapping[str, FaceSpace], known: Mapping[str, FaceSpace]
) -> dict[str, FaceSpace]:
    """The known spaces whose heads are kept: those of the data, and all where nothing below the heads changes."""
    for name in spaces.keys() & known.keys():
        _refuse_other_numbers(spaces[name], known[name])
    stays = {name: space for name, space in known.items() if name in spaces or config.learn in DECODER_STAYS}
    if config.learn == "identities" and (strange := spaces.keys() - stays.keys()):
        raise ConfigError(f'{min(strange)} is new to the model, and a new head must learn; set learn to "heads".')
    return stays


def _trunk(config: TrunkConfig | None, begin: LoadedModel | None, new_decoder: bool) -> TrunkConfig:
    if begin is None:
        if config is None:
            raise ConfigError("The config has no [model]; add one, or name a model to begin with by --from.")
        return config
    built = begin.unitalker().config
    kept = TrunkConfig(**{name: getattr(built, name) for name in TrunkConfig.__dataclass_fields__})
    if config is None:
        return kept
    compared = ("encoder",) if new_decoder else TrunkConfig.__dataclass_fields__
    if differing := [name for name in compared if getattr(config, name) != getattr(kept, name)]:
        raise ConfigError(
            f"The {differing[0]} of {begin.file or begin.info.name} is not that of the config's [model];"
            " leave [model] out."
        )
    return config


def spaces_of(sets: Sequence[MotionSet]) -> dict[str, FaceSpace]:
    """FaceSpaces in the order of the data sets. Data sets may share one if its numbers mean the same."""
    spaces: dict[str, FaceSpace] = {}
    for prepared in sets:
        _refuse_other_numbers(prepared.space, spaces.setdefault(prepared.space.name, prepared.space))
    return spaces


def _refuse_other_numbers(one: FaceSpace, other: FaceSpace) -> None:
    if not same_numbers(one, other):
        raise CorpusError(
            f"There are two face spaces named {one.name} whose numbers differ; rename one of them in its data."
        )


def speakers_of(sets: Sequence[MotionSet]) -> list[str]:
    """Everybody who speaks in a training clip."""
    spoken = {clip.identity for prepared in sets for clip in prepared.split("train")}
    return [name for prepared in sets for name in prepared.header.identities if name in spoken]


def new_space(space: FaceSpace, sets: Sequence[MotionSet]) -> NewSpace:
    """With the basis of the first data set that has one."""
    of_space = [prepared for prepared in sets if prepared.space.name == space.name]
    bases = (prepared.basis() for prepared in of_space)
    templates = np.concatenate([prepared.templates for prepared in of_space])
    return NewSpace(space, next((basis for basis in bases if basis is not None), None), templates.mean(axis=0))


def _fresh(trunk: TrunkConfig, heads: Sequence[HeadConfig], rows: int) -> UniTalker:
    fields = {name: getattr(trunk, name) for name in TrunkConfig.__dataclass_fields__}
    return UniTalker(UniTalkerConfig(**fields, identity_count=rows, heads=tuple(heads)))


@torch.no_grad()
def _fill(model: UniTalker, new: Mapping[str, NewSpace]) -> None:
    """Bases and neutral faces of new heads."""
    for name, each in new.items():
        if (template := model.template(name)) is not None:
            template.copy_(torch.from_numpy(each.template))
        basis = cast("Head", model.heads[name]).basis
        if each.basis is not None and basis is not None:
            components = basis.get_buffer("components")
            components.copy_(torch.from_numpy(each.basis.components[: len(components)]))
            basis.get_buffer("mean").copy_(torch.from_numpy(each.basis.mean))


def _inherit(model: UniTalker, begin: LoadedModel, stays: Mapping[str, FaceSpace], new_decoder: bool) -> None:
    """Copies what stays of the model to begin with."""
    kept = ["encoder.", *(f"heads.{name}." for name in stays)]
    if not new_decoder:
        kept.append("decoder.")
    old, own = begin.model.state_dict(), model.state_dict()
    taken = {name: value for name, value in old.items() if name.startswith(tuple(kept))}
    if IDENTITIES in taken:
        taken[IDENTITIES] = _with_rows(taken[IDENTITIES], len(own[IDENTITIES]))
    model.load_state_dict(own | taken)


def _with_rows(table: Tensor, rows: int) -> Tensor:
    """The identity table with new rows before the last one, the pivot, from which they are copied."""
    return torch.cat([table[:-1], table[-1:].expand(rows - len(table) + 1, -1)])
