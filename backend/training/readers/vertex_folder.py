# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that FaceFormer made common: vertices_npy/SUBJECT_SENTENCE.npy, wav/SUBJECT_SENTENCE.wav, templates.pkl.

BIWI, VOCASET and Multiface come like this; what differs is said by a `VertexFolder`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from backend.face import annotation
from backend.foreign.official import ANNOTATIONS
from backend.foreign.plain_pickle import PickleError, read_arrays
from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError

from .annotated import AnnotatedClip, DataSet, Pair, Split, load_npy, pairs

Unit = Callable[[np.ndarray], np.ndarray]
"""Brings values [..., dim] to the data set's own unit."""


@dataclass(frozen=True)
class VertexFolder:
    """What has to be known of such a folder."""

    name: str
    annot_type: str
    """UniTalker's name of the FaceSpace."""
    fps: float
    """Of the files."""
    subjects: tuple[str, ...]
    """Official order of the trained identities; others follow in the order of their names."""
    split: Callable[[str, int], Split]
    """The official split of a subject's sentence."""


def read(folder: Path, facts: VertexFolder, find_unit: Callable[[np.ndarray], Unit] = lambda _: np.asarray) -> DataSet:
    """The data set in a folder; `find_unit` tells its unit from the templates [identities, dim].

    Raises CorpusError where folders or templates are missing or broken.
    """
    published = ANNOTATIONS[facts.annot_type]
    space = annotation(facts.annot_type, published.dim, published.fps, published.scale)
    by_subject = _templates(folder / "templates.pkl", space.dim)
    identities = sorted(by_subject, key=lambda name: (_rank(facts.subjects, name), name))
    templates = np.stack([by_subject[name] for name in identities])
    unit = find_unit(templates)
    clips, problems = [], []
    for pair in pairs(folder / "vertices_npy", ".npy", folder / "wav"):
        try:
            clips.append(_clip(pair, facts, space.dim, unit, by_subject))
        except ClipError as error:
            problems.append(str(error))
    return DataSet(facts.name, space, tuple(identities), tuple(clips), unit(templates), tuple(problems))


def subject_name(written: str) -> str:
    """Multiface is written with and without zeros in front."""
    return written.lstrip("0") if written.isdigit() else written


def _rank(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _templates(path: Path, dim: int) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise CorpusError(f"There is no {path}, the neutral faces of the speakers.")
    try:
        arrays = {subject_name(name): array.reshape(-1) for name, array in read_arrays(path).items()}
    except PickleError as error:
        raise CorpusError(str(error)) from error
    if not arrays:
        raise CorpusError(f"{path} holds no neutral face.")
    for name, template in arrays.items():
        if len(template) != dim:
            raise CorpusError(f"{path} has {len(template)} numbers as the neutral face of {name} instead of {dim}.")
        if not np.isfinite(template).all():
            raise CorpusError(f"{path} holds numbers that are NaN or infinite in the neutral face of {name}.")
    return {name: template.astype(np.float32) for name, template in arrays.items()}


def _clip(pair: Pair, facts: VertexFolder, dim: int, unit: Unit, templates: dict[str, np.ndarray]) -> AnnotatedClip:
    matched = re.fullmatch(r"(.+)_\D*(\d+)", pair.name)
    if matched is None:
        raise ClipError(f"{pair.annotation} is not named SUBJECT_SENTENCE, so that nobody knows who speaks.")
    subject, sentence = subject_name(matched[1]), int(matched[2])
    if subject not in templates:
        raise ClipError(f"{pair.annotation} has no neutral face of {subject} in templates.pkl.")
    split = facts.split(subject, sentence)
    return AnnotatedClip(*pair, partial(_load, unit, dim), facts.fps, facts.annot_type, subject, split)


def _load(unit: Unit, dim: int, path: Path) -> np.ndarray:
    return unit(load_npy(path, dim))
