# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate on prepared data sets: a model's clips of a split against the annotation, as one table per data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from backend.checkpoint import LoadedModel
from backend.face import FaceSpace
from backend.training.errors import ConfigError, CorpusError
from backend.training.readers.annotated import Split

from . import face_evaluation, metrics, motion_set, regions, tables
from .meshes import MeshFiles
from .metrics import Averaging
from .motion_set import MotionSet
from .tables import Table

Format = Literal["text", "markdown", "json"]


@dataclass(frozen=True)
class Options:
    """What is measured, and how."""

    split: Split = "test"
    averaging: Averaging = "frames"
    in_model_unit: bool = False
    """Figures in the unit that models work in, as UniTalker's own code gives them, instead of the data set's."""
    by_subject: bool = False
    """A row for every subject below the row for all."""
    style_count: int = 0
    """Identities to speak every clip with, for diversity; 0 leaves it out."""
    meshes: MeshFiles = field(default_factory=MeshFiles)
    """Of control weights and FLAME parameters that are to be compared as vertices."""
    lips: Mapping[str, Path] = field(default_factory=dict)
    """Region files (`regions.read`) by FaceSpace."""
    upper_face: Mapping[str, Path] = field(default_factory=dict)


def evaluate(loaded: LoadedModel, sets: Sequence[MotionSet], options: Options) -> list[Table]:
    """One table per data set, published rows below ours where others measured the same split.

    Raises CorpusError for a data set whose FaceSpace the model does not have or that has no clip in the split, and
    ConfigError for regions of a space that is not evaluated.
    """
    spaces = options.meshes.on({prepared.space.name: space_of(loaded, prepared) for prepared in sets})
    for name in (*options.lips, *options.upper_face):
        if name not in spaces:
            raise ConfigError(f"There is a region file for {name}, but the data is of {', '.join(spaces)}.")
    spaces = {name: _with_regions(space, options) for name, space in spaces.items()}
    return [_table(loaded, prepared, spaces[prepared.space.name], options) for prepared in sets]


def space_of(loaded: LoadedModel, prepared: MotionSet) -> FaceSpace:
    """The model's own FaceSpace for a data set; CorpusError where it has none whose numbers mean the same."""
    wanted = prepared.space
    if (space := loaded.spaces.get(wanted.name)) is None:
        known = ", ".join(loaded.spaces)
        raise CorpusError(f"{prepared.folder} is of {wanted.name}, and {loaded.info.name} speaks {known} only.")
    if not motion_set.same_numbers(space, wanted):
        raise CorpusError(f"The {wanted.name} of {prepared.folder} has other numbers than that of {loaded.info.name}.")
    return space


def render(found: Sequence[Table], form: Format) -> str:
    """The tables one below the other, or as one JSON list."""
    if form == "json":
        return f"[{', '.join(map(tables.as_json, found))}]"
    return "\n\n".join(map(tables.as_markdown if form == "markdown" else tables.as_text, found))


def _table(loaded: LoadedModel, prepared: MotionSet, space: FaceSpace, options: Options) -> Table:
    if not prepared.split(options.split):
        raise CorpusError(f"{prepared.folder} has no clip in the split {options.split}; choose another --split.")
    errors = face_evaluation.evaluate(
        face_evaluation.predictor(loaded.model, space),
        space,
        face_evaluation.items(prepared, options.split, loaded.identities),
        styles=range(min(options.style_count, len(loaded.identities))),
        in_model_unit=options.in_model_unit,
    )
    figures = {loaded.info.name: metrics.average(errors, options.averaging)}
    if options.by_subject:
        figures |= metrics.by_subject(errors, options.averaging)
    peers = tables.published_for(prepared.header.layout, space.name, options.split)
    if peers is None or options.in_model_unit:
        return replace(tables.of(f"{prepared.name}, {options.split}", figures), notes=_notes(space, options))
    beside = tables.beside_peers(figures, peers)
    return replace(beside, notes=beside.notes + _notes(space, options))


def _with_regions(space: FaceSpace, options: Options) -> FaceSpace:
    """The space with the user's regions; without them with its own, or, for named controls, with those of ARKit."""
    lips, upper_face = options.lips.get(space.name), options.upper_face.get(space.name)
    if space.kind == "controls" and space.mesh is None and space.lips is None:
        space = regions.of_controls(space)
    return regions.with_regions(
        space,
        space.lips if lips is None else regions.read(lips, regions.FLAME_LIPS),
        space.upper_face if upper_face is None else regions.read(upper_face, regions.FLAME_UPPER_FACE),
    )


def _notes(space: FaceSpace, options: Options) -> tuple[str, ...]:
    """What a reader must know to compare the figures."""
    unit = "the model's unit" if options.in_model_unit else "the data set's own unit"
    averaged = "over all frames" if options.averaging == "frames" else "over each clip first"
    notes = (f"our figures are averaged {averaged}, in {unit}",)
    if (space.kind == "vertices" or space.mesh is not None) and (space.lips is None or space.upper_face is None):
        notes += ("figures of lips and upper face need region files (--lips, --upper-face)",)
    return notes
