# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures models of the miniature with the metrics of `evaluate`, on faces: weights and parameters through meshes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from backend.checkpoint import LoadedModel
from backend.face import FaceSpace
from backend.training.motion import face_evaluation, metrics, regions
from backend.training.motion.clip import Clip
from backend.training.motion.evaluate import Options
from backend.training.motion.face_evaluation import Item
from backend.training.motion.meshes import MeshFiles
from backend.training.motion.motion_set import MotionSet

Figures = dict[str, float]
"""By metric, in the data set's own unit."""


def meshes_of(options: Options, sets: Iterable[MotionSet]) -> MeshFiles:
    """The meshes of the FaceSpaces of some data sets."""
    spaces = {prepared.space.name for prepared in sets}
    return MeshFiles({name: path for name, path in options.meshes.meshes.items() if name in spaces})


def face_of(prepared: MotionSet, options: Options) -> FaceSpace:
    """The space of a data set with its mesh and regions."""
    space = prepared.space
    with_mesh = meshes_of(options, [prepared]).on({space.name: space})[space.name]
    lips, upper_face = (regions.read(files[space.name]) for files in (options.lips, options.upper_face))
    return regions.with_regions(with_mesh, lips, upper_face)


def measured(
    loaded: LoadedModel, sets: Mapping[str, MotionSet], options: Options, identity: int | None = None
) -> dict[str, Figures]:
    """Figures of a model on the test clips of data sets; with `identity`, everybody is spoken for by this row."""
    found = {}
    for name, prepared in sets.items():
        face = face_of(prepared, options)
        items = list(face_evaluation.items(prepared, "test", loaded.identities))
        if identity is not None:
            items = [item._replace(identity=identity) for item in items]
        found[name] = _figures(face_evaluation.predictor(loaded.model, face), face, items)
    return found


def as_strangers(loaded: LoadedModel, sets: Mapping[str, MotionSet], options: Options) -> dict[str, dict[str, Figures]]:
    """Figures where everybody is spoken for by the `pivot`, and by somebody of `another` data set."""
    pivot = len(loaded.identities)
    names = list(sets)
    others = {name: _first_of(loaded, sets[names[place - 1]]) for place, name in enumerate(names)}
    another = {name: measured(loaded, {name: sets[name]}, options, others[name])[name] for name in names}
    return {"pivot": measured(loaded, sets, options, pivot), "another": another}


def of_mean(sets: Mapping[str, MotionSet], options: Options) -> dict[str, Figures]:
    """Figures of the mean of all training motion, held still: what a model has to beat."""
    return {name: _of_mean(prepared, face_of(prepared, options)) for name, prepared in sets.items()}


def _of_mean(prepared: MotionSet, face: FaceSpace) -> Figures:
    clips = [prepared.load(clip) for clip in prepared.split("train")]
    mean = np.concatenate([clip.motion - clip.template for clip in clips]).mean(axis=0)

    def still(clip: Clip, _: int) -> torch.Tensor:
        return torch.from_numpy(np.tile(clip.template + mean, (len(clip.motion), 1)))

    return _figures(still, face, list(face_evaluation.items(prepared, "test", ())))


def _figures(predict: Callable[[Clip, int], torch.Tensor], face: FaceSpace, items: Sequence[Item]) -> Figures:
    return metrics.average(face_evaluation.evaluate(predict, face, items))


def _first_of(loaded: LoadedModel, prepared: MotionSet) -> int:
    return next(row for row, name in enumerate(loaded.identities) if name in prepared.header.identities)
