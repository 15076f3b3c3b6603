# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker's data release V1: a folder with train.json, val.json, test.json and id_template.npy for each data set.

The json files name annotation (.npy), sound, fps, identity number and data set of every item; a pca.npz beside them is
the published basis. The root of the release gives all data sets that are in it. Annotation types of the user's own may
have a `scale` in the info of the lists, which brings their unit to metres.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from backend.face import FaceSpace, annotation
from backend.foreign.official import ANNOTATIONS
from backend.training.errors import CorpusError
from backend.training.motion.clip import REDUCTIONS, ClipError

from .annotated import SPLITS, AnnotatedClip, DataSet, Split, load_npy


def read(folder: Path) -> list[DataSet]:
    """Every data set in a folder or below it. Raises CorpusError where the files of one are missing or broken."""
    homes = sorted({path.parent for split in SPLITS for path in folder.rglob(f"{split}.json")})
    if not homes:
        raise CorpusError(f"{folder} holds no train.json, val.json or test.json of a UniTalker data set.")
    return [_read(home) for home in homes]


def split_of_files(folder: Path) -> dict[str, Split]:
    """The splits in a folder's json files by the names of the annotation files without ending; empty without them."""
    return {PurePosixPath(str(item.get("annot_path"))).stem: split for split, item in _items(folder)}


@dataclass(frozen=True, eq=False)
class _Home:
    """What all items of a data set have in common."""

    folder: Path
    name: str
    annot_type: str
    fps: float
    """After the reduction."""
    templates: np.ndarray


def _read(folder: Path) -> DataSet:
    items = _items(folder)
    home = _home(folder, items[0][1] if items else {})
    clips, problems = [], []
    for split, item in items:
        try:
            clips.append(_clip(home, split, item))
        except ClipError as error:
            problems.append(str(error))
    return DataSet(
        home.name,
        _space(home),
        tuple(map(str, range(len(home.templates)))),
        tuple(clips),
        home.templates,
        tuple(problems),
        basis=folder / "pca.npz" if (folder / "pca.npz").is_file() else None,
    )


def _items(folder: Path) -> list[tuple[Split, dict[str, Any]]]:
    items: list[tuple[Split, dict[str, Any]]] = []
    for split in SPLITS:
        labels = folder / f"{split}.json"
        if labels.is_file():
            items.extend((split, item) for item in _labels(labels))
    return items


def _labels(path: Path) -> list[dict[str, Any]]:
    try:
        return [dict(item) for item in json.loads(path.read_text(encoding="utf-8"))["data"]]
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{path} is no UniTalker label file: it needs a list of items under data.") from error


def _home(folder: Path, first: dict[str, Any]) -> _Home:
    """Name, annotation type and rate of a data set are those of its first item."""
    try:
        fps = float(first["fps"])
        about = (str(first["dataset"]), str(first["annot_type"]), fps / REDUCTIONS.get(int(fps), 1))
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"The first item in {folder} lacks one of dataset, annot_type and fps.") from error
    return _Home(folder, *about, _templates(folder / "id_template.npy"))


def _templates(path: Path) -> np.ndarray:
    try:
        faces = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise CorpusError(f"{path}, the neutral faces of the speakers, is missing or no whole .npy file.") from error
    if faces.ndim < 2 or not np.isfinite(faces).all():
        raise CorpusError(f"{path} does not hold one neutral face per speaker.")
    return faces.reshape(len(faces), -1).astype(np.float32)


def _space(home: _Home) -> FaceSpace:
    dim = home.templates.shape[1]
    published = ANNOTATIONS.get(home.annot_type)
    if published is not None and published.dim != dim:
        raise CorpusError(f"{home.folder / 'id_template.npy'} has {dim} numbers per face, not {published.dim}.")
    return annotation(home.annot_type, dim, home.fps, published.scale if published else _own_scale(home.folder))


def _own_scale(folder: Path) -> float:
    """Of an annotation type of the user's own: what the info in the first list says, 1 where it says nothing."""
    labels = next(path for split in SPLITS if (path := folder / f"{split}.json").is_file())
    info = json.loads(labels.read_text(encoding="utf-8")).get("info")
    scale = info.get("scale", 1.0) if isinstance(info, dict) else 1.0
    if not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise CorpusError(f"The scale {scale!r} in the info of {labels} is no number above 0.")
    return float(scale)


def _clip(home: _Home, split: Split, item: dict[str, Any]) -> AnnotatedClip:
    labels = home.folder / f"{split}.json"
    try:
        motion, audio = (home.folder / item[key] for key in ("annot_path", "audio_path"))
        fps, number = float(item["fps"]), int(item["id"])
        own = (str(item["dataset"]), str(item["annot_type"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ClipError(f"An item of {labels} ({item.get('annot_path')}) lacks or misspells {error}.") from error
    if own != (home.name, home.annot_type):
        raise ClipError(f"{motion} is {' '.join(own)}, and the first item is {home.name} {home.annot_type}.")
    if not 0 <= number < len(home.templates):
        raise ClipError(f"{motion} is of identity {number}, and id_template.npy has {len(home.templates)}.")
    parts = PurePosixPath(item["annot_path"]).with_suffix("").parts
    name = "/".join(part for part in parts if part not in ("/", ".."))
    load = partial(load_npy, dim=home.templates.shape[1])
    return AnnotatedClip(name, motion, audio, load, fps, home.annot_type, str(number), split)
