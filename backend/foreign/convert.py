# SPDX-License-Identifier: GPL-3.0-or-later
"""Official UniTalker checkpoints to our model files. No code in a checkpoint is ever run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from backend.checkpoint import ModelCard, is_finite, save
from backend.face import annotation
from backend.models.speech_config import WAV2VEC2_XLSR_53, WAVLM_BASE_PLUS
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from torch import Tensor

from . import official
from .official import Layout
from .official_files import Basis, ConvertError, read_basis, read_config, read_templates, read_tensors

TITLES = {WAVLM_BASE_PLUS: "UniTalker-B", WAV2VEC2_XLSR_53: "UniTalker-L"}
LICENCE = "as the converted checkpoint"
STAGES = ("Reading the checkpoint", "Checking its tensors", "Writing the model file")

__all__ = ["Conversion", "ConvertError", "convert"]


@dataclass(frozen=True)
class Conversion:
    """What a conversion made."""

    path: Path
    title: str
    spaces: tuple[str, ...]
    left_out: tuple[str, ...]
    """Spaces whose PCA basis was not given, so that their coefficients cannot become a face."""
    identities: int
    """Rows of the identity table without the pivot."""
    parameters: int
    bytes: int


def convert(
    checkpoint: Path,
    output: Path,
    *,
    config: Path | None = None,
    pca: Path | None = None,
    templates: Path | None = None,
    tell: Callable[[str], None] = lambda _stage: None,
) -> Conversion:
    """Write the model file `output` from an official ``.pt`` or ``.safetensors`` checkpoint.

    `config` describes the layout (without it, a released B or L is recognised), the folder `pca` holds one
    ``SPACE.npz`` per PCA space in the official keys, `templates` one neutral face per space in the model's own unit
    (the data set's times its scale). `tell` hears each of `STAGES` as it begins. Raises `ConvertError` or
    `CheckpointError`; then nothing is written.
    """
    if output.suffix != ".safetensors" or output.resolve() == checkpoint.resolve():
        raise ConvertError(f"The output {output} must be another file than the checkpoint and end in .safetensors.")
    tell(STAGES[0])
    tensors = read_tensors(checkpoint)
    tell(STAGES[1])
    layout = _layout(checkpoint, config, tensors)
    dims = {name: facts.dim for name, facts in layout.annotations.items()}
    neutral = read_templates(templates, dims) if templates else {}
    full = _config(checkpoint, layout, tensors, neutral)
    _check(checkpoint, tensors, full)
    bases = {head.space: _basis(pca, tensors, head) for head in full.heads if head.components}
    usable = tuple(head for head in full.heads if not head.components or bases[head.space])
    if not usable:
        raise ConvertError(f"{checkpoint} has only PCA heads: name the folder of their SPACE.npz files with --pca.")
    tell(STAGES[2])
    model = _fill(replace(full, heads=usable), tensors, bases, neutral)
    return _write(output, model, layout, checkpoint, tuple(head.space for head in full.heads if head not in usable))


def _layout(checkpoint: Path, config: Path | None, tensors: Mapping[str, Tensor]) -> Layout:
    if config is not None:
        return read_config(config)
    layout = official.recognise(_shapes(tensors))
    if layout is None:
        raise ConvertError(f"{checkpoint} is no released UniTalker-B or -L: describe its layout with --config.")
    return layout


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _config(
    checkpoint: Path, layout: Layout, tensors: Mapping[str, Tensor], neutral: Mapping[str, Tensor]
) -> UniTalkerConfig:
    try:
        for name, facts in layout.annotations.items():
            annotation(name, facts.dim, facts.fps)
        return official.unitalker_config(layout, _shapes(tensors), neutral)
    except ValueError as error:
        raise ConvertError(f"{checkpoint} does not fit its layout: {error}; correct the config.") from error


def _check(checkpoint: Path, tensors: Mapping[str, Tensor], config: UniTalkerConfig) -> None:
    """Compare names, shapes and values with the layout: only PCA bases may be missing, nothing may be left over."""
    with torch.device("meta"):
        expected = official_shapes(UniTalker(config))
    for name, shape in expected.items():
        is_basis = name.startswith("pca_layer_dict.")
        if name not in tensors and not is_basis:
            raise ConvertError(f"{checkpoint} lacks the tensor {name}; get it again, or correct the config.")
        if name in tensors and not is_basis and tuple(tensors[name].shape) != shape:
            found = list(tensors[name].shape)
            raise ConvertError(
                f"The tensor {name} of {checkpoint} has shape {found} instead of {list(shape)}; correct the config."
            )
    for name, tensor in tensors.items():
        if name not in expected and not official.UNUSED.fullmatch(name):
            raise ConvertError(
                f"{checkpoint} holds a tensor that its layout does not have: {name}; correct the config."
            )
        if name in expected and not is_finite(tensor):
            raise ConvertError(f"The tensor {name} of {checkpoint} holds values that are no numbers; get it again.")


def official_shapes(model: UniTalker) -> dict[str, tuple[int, ...]]:
    """Official names of a model's tensors and the shapes that the official code stores them in."""
    return {
        official.official_name(name, model.config): official.official_shape(name, tuple(tensor.shape), model.config)
        for name, tensor in model.state_dict().items()
        if not name.endswith(".template")
    }


def _basis(pca: Path | None, tensors: Mapping[str, Tensor], head: HeadConfig) -> Basis | None:
    """The PCA basis of a head: the user's file, else the checkpoint's own buffers, else nothing."""
    if pca is not None and (basis := read_basis(pca, head.space, head.components, head.dim)):
        return basis
    names = (f"pca_layer_dict.{head.space}.feat_to_data", f"pca_layer_dict.{head.space}.data_bias")
    if not all(name in tensors for name in names):
        return None
    rows, mean = (tensors[name].float() for name in names)
    if rows.shape[1:] != (head.dim,) or len(rows) < head.components or mean.shape != (head.dim,):
        raise ConvertError(
            f"The PCA basis of {head.space} in the checkpoint has the wrong shape {list(rows.shape)}; name another."
        )
    return Basis(rows[: head.components], mean)


def _fill(
    config: UniTalkerConfig,
    tensors: Mapping[str, Tensor],
    bases: Mapping[str, Basis | None],
    neutral: Mapping[str, Tensor],
) -> UniTalker:
    with torch.device("meta"):
        model = UniTalker(config)
    state = {f"heads.{space}.template": template for space, template in neutral.items()}
    for space, basis in bases.items():
        if basis is not None:
            state |= {f"heads.{space}.basis.components": basis.components, f"heads.{space}.basis.mean": basis.mean}
    for name in model.state_dict():
        if name not in state:
            state[name] = tensors[official.official_name(name, config)].float()
    if "decoder.positions" in state:
        state["decoder.positions"] = state["decoder.positions"][0, : config.period]
    model.load_state_dict({name: state[name] for name in model.state_dict()}, assign=True)
    return model


def _write(output: Path, model: UniTalker, layout: Layout, checkpoint: Path, left_out: tuple[str, ...]) -> Conversion:
    title = TITLES.get(layout.encoder, "UniTalker")
    facts = {head.space: layout.annotations[head.space] for head in model.config.heads}
    spaces = [annotation(name, kept.dim, kept.fps, kept.scale) for name, kept in facts.items()]
    identities = official.identity_names(layout)
    card = ModelCard(output.stem, title, LICENCE, {"converted_from": checkpoint.name})
    save(output, model, spaces, identities, card)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Conversion(output, title, tuple(facts), left_out, len(identities), parameters, output.stat().st_size)
