# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of a run: a fresh teacher for data sets, and a student for a teacher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from backend import checkpoint
from backend.checkpoint import LoadedModel, ModelCard
from backend.emotions import EMOTIONS, NEUTRAL
from backend.face import FaceSpace
from backend.models.audio_encoder import EncoderConfig
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.regression_ear import RegressionEar, RegressionEarConfig
from backend.models.talker_config import DiffusionTalkerConfig, RegionConfig
from backend.models.unitalker import HeadConfig, UniTalker
from backend.training.errors import ConfigError
from backend.training.motion.motion_model import NewSpace, new_space, spaces_of, speakers_of
from backend.training.motion.motion_set import MotionSet, PreparedClip
from safetensors.torch import load_file
from torch import Tensor, nn

from .config import DiffusionConfig, StudentConfig, TalkerConfig

_UPPER_FACE, _MOUTH = ("brow", "eye"), ("jaw", "mouth", "tongue")
"""How the names of controls begin, as ARKit names them."""
MEASURED_CLIPS = 400
"""Training clips of a space that its mean and spread are taken from."""


@dataclass(frozen=True, eq=False)
class Talker:
    """A DiffusionTalker and what its numbers mean."""

    model: DiffusionTalker
    spaces: dict[str, FaceSpace]
    """In the order of the model's heads."""
    identities: tuple[str, ...]
    """Names of the rows of the identity table, without the pivot."""

    @property
    def rates(self) -> dict[str, float]:
        """Frames per second by FaceSpace."""
        return {name: space.fps for name, space in self.spaces.items()}

    def with_weights(self, path: Path) -> Talker:
        """The same with the weights of a run's best step."""
        self.model.load_state_dict(load_file(path))
        return Talker(self.model.cpu().eval(), self.spaces, self.identities)

    def save(self, path: Path, card: ModelCard, *, half: bool = True) -> None:
        """Write a model file. Raises CheckpointError."""
        checkpoint.save(path, self.model.cpu().eval(), list(self.spaces.values()), self.identities, card, half=half)


def teacher(config: DiffusionConfig, sets: Sequence[MotionSet], begin: LoadedModel | None = None) -> Talker:
    """A model for data sets; with `begin`, its encoder listens. The seed decides about everything that is new.

    A DiffusionTalker to begin with gives whatever has the same name and shape, but not what the numbers of motion mean.

    Raises CorpusError for data sets that do not go together, ConfigError for an encoder that is not the config's.
    """
    torch.manual_seed(config.seed)
    spaces, identities = spaces_of(sets), tuple(speakers_of(sets))
    ear = config.model.encoder or _ear_of(begin)
    new = {name: new_space(space, sets) for name, space in spaces.items()}
    heads = tuple(each.head(config.heads) for each in new.values())
    talker = Talker(DiffusionTalker(_built(config.model, ear, sets, heads)), spaces, identities)
    if begin is not None and isinstance(begin.model, DiffusionTalker):
        _take_over(talker.model, begin.model)
    _fill(talker.model, new)
    for name in spaces:
        _measure(talker.model, name, [prepared for prepared in sets if prepared.space.name == name])
    if begin is not None:
        _listen_as(talker.model, begin)
    elif config.model.frozen_encoder:
        raise ConfigError("An encoder that stays as it is has to come from a model; name it by --from.")
    return talker


def _built(
    trunk: TalkerConfig,
    ear: EncoderConfig | RegressionEarConfig,
    sets: Sequence[MotionSet],
    heads: tuple[HeadConfig, ...],
) -> DiffusionTalkerConfig:
    """How a teacher for data sets is built."""
    spaces = spaces_of(sets).values()
    return DiffusionTalkerConfig(
        ear,
        len(speakers_of(sets)) + 1,
        heads,
        trunk.denoiser,
        articulator=trunk.articulator,
        emotions=emotions_of(sets),
        personal_width=trunk.personal_width,
        schedule=trunk.schedule,
        times=trunk.times,
        shift=trunk.shift,
        liveliness=trunk.liveliness,
        steps=trunk.times,
        prediction=trunk.prediction,
        enhanced=_regions(spaces, _UPPER_FACE) if trunk.enhancer else (),
        decided=_regions(spaces, _MOUTH) if trunk.decided_lips else (),
    )


def student(taught: Talker, steps: int, config: StudentConfig | None, seed: int) -> Talker:
    """A student that takes so many steps: the teacher itself, or a fresh model built otherwise for the same data.

    A fresh one keeps whatever has the same name and shape, and always what the numbers of motion mean.
    """
    torch.manual_seed(seed)
    built = replace(taught.model.config, steps=steps, aligned_width=0)
    if config is not None:
        ear = config.encoder or built.encoder
        parts = {"encoder": ear, "denoiser": config.denoiser, "articulator": config.articulator}
        parts |= {"prediction": config.prediction}
        built = replace(built, **parts, aligned_width=taught.model.encoder.width)
    model = DiffusionTalker(built)
    _take_over(model, taught.model)
    return Talker(model, taught.spaces, taught.identities)


def emotions_of(sets: Sequence[MotionSet]) -> tuple[str, ...]:
    """The emotions that data sets have clips of, the neutral one first."""
    felt = {name for prepared in sets for clip in prepared.clips for name in clip.emotions}
    return tuple(name for name in EMOTIONS if name == NEUTRAL or name in felt)


def of_file(path: Path) -> Talker:
    """The DiffusionTalker in a model file. Raises CheckpointError, or ConfigError for another kind of model."""
    loaded = checkpoint.load(path)
    if not isinstance(loaded.model, DiffusionTalker):
        raise ConfigError(f"{path} is no DiffusionTalker; name the teacher that `train` made of a diffusion config.")
    return Talker(loaded.model, dict(loaded.spaces), loaded.identities)


def _regions(spaces: Iterable[FaceSpace], beginnings: tuple[str, ...]) -> tuple[RegionConfig, ...]:
    """The controls whose names begin so, of the spaces that have some."""
    found = {
        space.name: tuple(place for place, name in enumerate(space.channels) if name.lower().startswith(beginnings))
        for space in spaces
        if space.kind == "controls"
    }
    return tuple(RegionConfig(name, numbers) for name, numbers in found.items() if numbers)


def _ear_of(begin: LoadedModel | None) -> EncoderConfig | RegressionEarConfig:
    """How the model to begin with is built, as an ear. Raises ConfigError for one that cannot be one."""
    if begin is not None and isinstance(begin.model, DiffusionTalker):
        return begin.model.config.encoder
    if begin is None or not isinstance(begin.model, UniTalker):
        raise ConfigError("Without [model.encoder], a UniTalker listens that stays as it is; name it by --from.")
    name, space = next(iter(begin.spaces.items()))
    try:
        return RegressionEarConfig(replace(begin.model.config, auxiliary=()), space=name, fps=space.fps)
    except ValueError as error:
        raise ConfigError(f"{begin.info.name} cannot be an ear: {error}.") from error


def _take_over(model: DiffusionTalker, other: DiffusionTalker) -> None:
    """Whatever of another model has the same name and shape."""
    own, known = model.state_dict(), other.state_dict()
    kept = {name: value for name, value in known.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(own | kept)


@torch.no_grad()
def _fill(model: DiffusionTalker, new: Mapping[str, NewSpace]) -> None:
    """Neutral faces and bases."""
    for name, each in new.items():
        head = model.head(name)
        if (template := model.template(name)) is not None:
            template.copy_(torch.from_numpy(each.template))
        if head.basis is not None and each.basis is not None:
            components = head.basis.get_buffer("components")
            components.copy_(torch.from_numpy(each.basis.components[: len(components)]))
            head.basis.get_buffer("mean").copy_(torch.from_numpy(each.basis.mean))


def _measure(model: DiffusionTalker, space: str, sets: Sequence[MotionSet]) -> None:
    """Mean and spread of what is denoised, over some of the training clips."""
    pairs = [(prepared, clip) for prepared in sets for clip in prepared.split("train")]
    chosen = np.random.default_rng(0).permutation(len(pairs))[:MEASURED_CLIPS]
    head = model.head(space)
    head.get_buffer("mean").zero_()
    head.get_buffer("deviation").fill_(1)
    encoded = torch.cat([_encoded(model, space, *pairs[place]) for place in chosen])
    head.scale_to(encoded.mean(dim=0), encoded.std(dim=0))


def _encoded(model: DiffusionTalker, space: str, prepared: MotionSet, clip: PreparedClip) -> Tensor:
    """float32 [frames, numbers] before they are shifted and scaled."""
    values = torch.from_numpy(np.array(prepared.motion(clip), np.float32))
    return model.head(space).encode(values, torch.from_numpy(prepared.template(clip).copy()))


def _listen_as(model: DiffusionTalker, begin: LoadedModel) -> None:
    """Take over the encoder of another model, of whatever kind, or all of a UniTalker as an ear, if built alike."""
    own: nn.Module = model.encoder
    theirs: nn.Module = begin.model.encoder
    if isinstance(model.encoder, RegressionEar) and isinstance(begin.model, UniTalker):
        own, theirs = model.encoder.talker, begin.model
    known = {name: value for name, value in theirs.state_dict().items() if not name.startswith("auxiliary.")}
    if {name: value.shape for name, value in own.state_dict().items()} != {
        name: value.shape for name, value in known.items()
    }:
        raise ConfigError(f"{begin.info.name} has another encoder than the config; make [model.encoder] the same.")
    own.load_state_dict(known)
