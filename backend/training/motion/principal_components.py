# SPDX-License-Identifier: GPL-3.0-or-later
"""Principal components of face motion, for data that fits no memory: BIWI has 70110 numbers in each of 22000 frames.

Randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.3): the data is read block by
block a few times, and what is kept between blocks grows with dimensions times components, never with frames.
UniTalker's files are the same (supplement 9.3 approximates them by incremental PCA): see `KEYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from backend import npz, whole_file
from backend.training.errors import CorpusError

KEYS = (
    *("components_to_data", "original_data_mean", "data_components_mean"),
    *("data_components_std", "S", "explained_variance_ratio"),
)
"""Arrays of a UniTalker pca.npz, in the order of the fields of `PrincipalComponents`."""
UNITALKER_COMPONENTS = 512
OVERSAMPLING = 32
"""Directions that are followed beside the wanted ones, so that the last of these come out right."""
ITERATIONS = 3
BLOCK_FRAMES = 256
_MOST_BYTES = 1 << 31
"""Of a file's arrays: three times the basis of the largest released head."""
SMALLEST = 1e-5
"""Components below this share of the first one are rounding errors of float32 and left out."""

Blocks = Callable[[], Iterable[np.ndarray]]
"""Gives the same frames, float [n, dim] at a time, every time it is called."""


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """A basis of face motion; all arrays float32. Motion is `mean + coefficients @ components`."""

    components: np.ndarray
    """[K, dim]: orthonormal rows, the strongest first."""
    mean: np.ndarray
    """[dim]"""
    coefficient_means: np.ndarray
    """[K]: zero, up to rounding. UniTalker stores and never uses them."""
    coefficient_deviations: np.ndarray
    """[K]"""
    singular_values: np.ndarray
    """[K]: of the centred data."""
    explained: np.ndarray
    """[K]: each component's share of the variance."""


def fit(blocks: Blocks, count: int = UNITALKER_COMPONENTS, seed: int = 1) -> PrincipalComponents:
    """The first `count` components of all frames, or fewer where the data has fewer.

    Raises CorpusError for data without motion.
    """
    frames, mean, variation = _statistics(blocks)
    if frames < 2 or variation <= 0:
        raise CorpusError("Principal components need two frames or more that differ.")
    width = min(count + OVERSAMPLING, frames, len(mean))
    directions = np.random.default_rng(seed).standard_normal((len(mean), width), np.float32)
    for _ in range(ITERATIONS):
        directions = _orthonormal(_spread(blocks, mean, directions))
    squares, rotation = np.linalg.eigh(_covariance(blocks, mean, directions))
    strengths = np.sqrt(np.maximum(squares[::-1], 0))
    kept = min(count, int((strengths > SMALLEST * strengths[0]).sum()))
    components = _upright((directions @ rotation[:, ::-1][:, :kept].astype(np.float32)).T)
    values = strengths[:kept]
    return PrincipalComponents(
        components,
        mean,
        np.zeros(kept, np.float32),
        (values / np.sqrt(frames)).astype(np.float32),
        values.astype(np.float32),
        (values**2 / variation).astype(np.float32),
    )


def write(path: Path, basis: PrincipalComponents) -> None:
    """Write a basis as .npz in UniTalker's keys; `path` appears only when it is whole."""
    with whole_file.written(path) as partial, partial.open("wb") as file:
        np.savez(file, **dict(zip(KEYS, vars(basis).values(), strict=True)))


def read(path: Path, dim: int) -> PrincipalComponents:
    """A basis of `dim` numbers out of an .npz in UniTalker's keys. Raises CorpusError."""
    try:
        file = npz.read(path, _MOST_BYTES, KEYS)
        arrays = [np.asarray(file[key], np.float32) for key in KEYS]
    except KeyError as error:
        raise CorpusError(f"{path} is no PCA basis: it has no {error.args[0]}.") from error
    except (OSError, ValueError, TypeError) as error:
        raise CorpusError(f"{path} is missing or no whole .npz file of a PCA basis.") from error
    rows, *rest = arrays
    shapes = [(dim,), *[(len(rows),)] * (len(KEYS) - 2)]
    rest = [array.reshape(-1) for array in rest]
    if rows.ndim != 2 or rows.shape[1] != dim or [array.shape for array in rest] != shapes:
        raise CorpusError(f"{path} is no PCA basis of {dim} numbers per frame; its components are {rows.shape}.")
    if not all(np.isfinite(array).all() for array in arrays):
        raise CorpusError(f"{path} holds numbers that are NaN or infinite.")
    return PrincipalComponents(rows, *rest)


def _pieces(blocks: Blocks) -> Iterator[np.ndarray]:
    """The frames as float32 in pieces small enough to work on."""
    for block in blocks():
        for start in range(0, len(block), BLOCK_FRAMES):
            yield np.asarray(block[start : start + BLOCK_FRAMES], np.float32)


def _statistics(blocks: Blocks) -> tuple[int, np.ndarray, float]:
    """Number of frames, mean float32 [dim], and the sum of all squared distances from it."""
    frames, squares = 0, 0.0
    total: np.ndarray | float = 0.0
    for piece in _pieces(blocks):
        frames += len(piece)
        total = total + piece.sum(axis=0, dtype=np.float64)
        squares += float(np.einsum("ij,ij->", piece, piece, dtype=np.float64))
    mean = np.atleast_1d(np.asarray(total)) / max(frames, 1)
    return frames, mean.astype(np.float32), squares - frames * float(mean @ mean)


def _spread(blocks: Blocks, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The covariance of the frames, times their number, applied to directions [dim, k]."""
    spread = np.zeros_like(directions)
    for piece in _pieces(blocks):
        centred = piece - mean
        spread += centred.T @ (centred @ directions)
    return spread


def _covariance(blocks: Blocks, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Float64 [k, k]: the covariance along directions [dim, k], times the number of frames."""
    covariance = np.zeros((directions.shape[1],) * 2)
    for piece in _pieces(blocks):
        along = ((piece - mean) @ directions).astype(np.float64)
        covariance += along.T @ along
    return covariance


def _orthonormal(directions: np.ndarray) -> np.ndarray:
    """The same space by orthonormal columns; torch does it in float32, numpy in twice the time and memory."""
    return torch.linalg.qr(torch.from_numpy(directions)).Q.numpy()


def _upright(components: np.ndarray) -> np.ndarray:
    """The same rows [K, dim], each with its largest number positive, so that a basis does not depend on chance."""
    largest = np.abs(components).argmax(axis=1)
    return components * np.sign(np.take_along_axis(components, largest[:, None], axis=1))
