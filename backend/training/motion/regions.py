# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions of a face that metrics look at: the files that data sets come with, and those of named controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from backend.face import FaceSpace
from backend.foreign.plain_pickle import PickleError, read_arrays
from backend.training.errors import CorpusError

FLAME_LIPS = ("lips",)
FLAME_UPPER_FACE = ("forehead", "eye_region")
"""Keys of FLAME_masks.pkl; 827 vertices together."""
MESHTALK_THRESHOLDS = {"weighted_mouth_mask": 0.1, "forehead_mask": 0.4}
"""Above which weight a vertex belongs to a region, as FaceDiffuser reads the masks of MeshTalk."""


def read(path: Path, keys: Sequence[str] = ()) -> np.ndarray:
    """int64: the sorted indices in a region file.

    A .txt of comma-separated indices (BIWI's lve.txt and fdd.txt), a MeshTalk mask .txt of one weight per vertex, a
    .npy of indices or of one truth value per vertex, or a .pkl of named index lists (FLAME_masks.pkl), of which `keys`
    are joined. Raises CorpusError, naming the file.
    """
    readers: dict[str, Callable[[], np.ndarray]] = {
        ".txt": lambda: _text(path),
        ".npy": lambda: np.load(path, allow_pickle=False),
        ".pkl": lambda: _joined(path, keys),
    }
    if path.suffix not in readers:
        raise CorpusError(f"The region file {path} must be a .txt, .npy or .pkl file.")
    try:
        found = readers[path.suffix]()
    except OSError as error:
        raise CorpusError(f"The region file {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, EOFError) as error:
        raise CorpusError(f"The region file {path} is damaged: {error}.") from error
    return _indices(found, path)


def with_regions(space: FaceSpace, lips: np.ndarray | None, upper_face: np.ndarray | None) -> FaceSpace:
    """The space with regions of its points; CorpusError for an index beyond them."""
    points = space.decode(torch.zeros(space.dim)).shape[0]
    for name, region in (("lips", lips), ("upper face", upper_face)):
        if region is not None and region.max() >= points:
            raise CorpusError(f"The {name} region has the index {region.max()}; {space.name} has {points} points.")
    return replace(space, lips=lips, upper_face=upper_face)


def of_controls(space: FaceSpace) -> FaceSpace:
    """A space of controls named as ARKit names them, with the jaw and mouth as lips and eyes and brows above them."""

    def named(*beginnings: str) -> np.ndarray | None:
        found = [number for number, channel in enumerate(space.channels) if channel.lower().startswith(beginnings)]
        return np.array(found, np.int64) if found else None

    return replace(space, lips=named("jaw", "mouth"), upper_face=named("brow", "eye"))


def _text(path: Path) -> np.ndarray:
    words = path.read_text(encoding="utf-8").replace(",", " ").split()
    if path.stem in MESHTALK_THRESHOLDS:
        return np.array(words, float) > MESHTALK_THRESHOLDS[path.stem]
    return np.array(words, np.int64)


def _joined(path: Path, keys: Sequence[str]) -> np.ndarray:
    try:
        masks = read_arrays(path)
    except PickleError as error:
        raise CorpusError(str(error)) from error
    missing = [key for key in keys if key not in masks]
    if missing or not keys:
        named = f"no region {missing[0]}" if missing else "regions to choose from"
        raise CorpusError(f"{path} has {named}; there are {', '.join(sorted(masks)) or 'none'}.")
    return np.concatenate([masks[key].reshape(-1) for key in keys])


def _indices(found: np.ndarray, path: Path) -> np.ndarray:
    if found.dtype == bool:
        found = np.flatnonzero(found)
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iu" or found.min() < 0:
        raise CorpusError(f"The region file {path} holds no list of vertex numbers.")
    return np.unique(found).astype(np.int64)
