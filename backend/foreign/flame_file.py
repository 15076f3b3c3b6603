# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's own FLAME file: the official .pkl, read without running anything in it, and our .npz of it.

FLAME 2016, 2020, 2023 and 2023 Open come as pickles of numpy arrays, some wrapped in chumpy objects or scipy sparse
matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from backend import npz, whole_file
from backend.face import Mesh
from backend.models.flame import EXPRESSIONS, PARENTS, POSE_FEATURES, SHAPES, Flame, FlameArrays

from . import plain_pickle

KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")
"""What a FLAME file must hold, under its own names; see `FlameArrays` for their meaning."""
MOST_BYTES = plain_pickle.MOST_BYTES


class FlameFileError(Exception):
    """A FLAME file cannot be read or written; the message is one sentence for the user."""


def read(path: Path) -> FlameArrays:
    """The model in an official .pkl or in the .npz that `convert` makes of it; the content decides, not the name.

    Raises `FlameFileError`, also for a key that is missing, misshapen or no array of numbers.
    """
    content = _content(path)
    try:
        arrays = _from_npz(content) if content.startswith(b"PK") else plain_pickle.arrays_in(content, KEYS)
    except plain_pickle.HoldsCode as found:
        raise FlameFileError(f"{path} holds code ({found}) and is not a FLAME model; nothing was run.") from None
    except plain_pickle.BROKEN as error:
        raise FlameFileError(
            f"{path} is damaged or not a FLAME model; choose FLAME's own .pkl or the .npz made of it."
        ) from error
    return _checked(arrays, path)


def mesh(path: Path) -> Mesh:
    """The vertices that FLAME parameters [..., 413] move, by the model in a file as `read` takes it."""
    return Flame(read(path)).vertices_from_413


def convert(path: Path, output: Path) -> None:
    """Write the model as a float32 .npz under FLAME's own keys, which reads faster and holds no pickle."""
    if output.suffix != ".npz":
        raise FlameFileError(
            f"The converted FLAME model is an .npz file, so {output} cannot be its name; end it in .npz."
        )
    flame = read(path)
    try:
        with whole_file.written(output) as partial, partial.open("wb") as file:
            np.savez(
                file,
                v_template=flame.template,
                f=flame.faces,
                shapedirs=flame.shape_directions,
                posedirs=flame.pose_directions,
                J_regressor=flame.joint_regressor,
                kintree_table=np.array([PARENTS, range(len(PARENTS))]),
                weights=flame.skinning_weights,
            )
    except OSError as error:
        raise FlameFileError(f"{output} cannot be written: {error.strerror}.") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise FlameFileError(f"There is no FLAME file {path}; check the path.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FlameFileError(f"{path} is larger than any FLAME model; choose FLAME's own .pkl.")
        return path.read_bytes()
    except OSError as error:
        raise FlameFileError(f"{path} cannot be read: {error.strerror}.") from error


def _from_npz(content: bytes) -> dict[str, np.ndarray | None]:
    return dict(npz.read(content, MOST_BYTES, KEYS))


def _checked(arrays: Mapping[str, np.ndarray | None], path: Path) -> FlameArrays:
    numbers = {key: _numbers(arrays, key, path) for key in KEYS}
    vertices, faces, joints = len(numbers["v_template"]), len(numbers["f"]), len(PARENTS)
    expected = {
        "v_template": (vertices, 3),
        "f": (faces, 3),
        "shapedirs": (vertices, 3, SHAPES + EXPRESSIONS),
        "posedirs": (vertices, 3, POSE_FEATURES),
        "J_regressor": (joints, vertices),
        "kintree_table": (2, joints),
        "weights": (vertices, joints),
    }
    for key, shape in expected.items():
        if numbers[key].shape != shape:
            found, wanted = (" x ".join(map(str, size)) for size in (numbers[key].shape, shape))
            raise FlameFileError(f"{path} is not a FLAME model: its {key} is {found} numbers instead of {wanted}.")
    if tuple(numbers["kintree_table"][0, 1:]) != PARENTS[1:]:
        raise FlameFileError(f"{path} is not a FLAME model: its kintree_table is not root, neck, jaw and two eyes.")
    if not 0 <= numbers["f"].min() <= numbers["f"].max() < vertices:
        raise FlameFileError(f"{path} is damaged: its f names vertices beyond its {vertices}; get it again.")
    floats = [
        numbers[key].astype(np.float32) for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
    ]
    return FlameArrays(numbers["f"].astype(np.int64), *floats)


def _numbers(arrays: Mapping[str, np.ndarray | None], key: str, path: Path) -> np.ndarray:
    """One array of at least one dimension whose numbers all fit into float32."""
    if key not in arrays:
        raise FlameFileError(f"{path} is not a FLAME model: it has no {key}; choose FLAME's own .pkl.")
    array = arrays[key]
    if array is None or array.dtype.kind not in "fiu" or not array.shape or not array.size:
        raise FlameFileError(f"{path} is not a FLAME model: its {key} is not an array of numbers; choose FLAME's own.")
    if not np.all(np.abs(array) < np.finfo(np.float32).max):
        raise FlameFileError(f"{path} is damaged: its {key} holds numbers that are infinite or NaN; get it again.")
    return array
