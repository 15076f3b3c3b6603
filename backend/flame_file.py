# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's own FLAME file: the official .pkl, read without running anything in it, and our .npz of it.

FLAME 2016, 2020, 2023 and 2023 Open come as pickles of numpy arrays, some wrapped in chumpy objects or scipy sparse
matrices. A pickle is a program that names functions and has them called. Here every permitted name stands for an
inert record, so all the program can do is say which bytes make up which array: numpy, scipy and chumpy never see it.
"""

from __future__ import annotations

import io
import pickle  # noqa: TID251 - FLAME is published as pickles; nothing that they name is imported or called
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .models.flame import EXPRESSIONS, PARENTS, POSE_FEATURES, SHAPES, FlameArrays

KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")
"""What a FLAME file must hold, under its own names; see `FlameArrays` for their meaning."""
MOST_BYTES = 1 << 29
"""Ten times the size of FLAME 2020."""
MOST_STEPS = 100_000
"""Official files take some hundred steps: an array is one step, however large."""
LEFT_OUT = {code[0] for code in (pickle.BYTEARRAY8, pickle.EXT1, pickle.EXT2, pickle.EXT4)}
"""Instructions that set memory aside before reading, or read the registry of this Python."""
NUMBER_TYPES = ("f4", "f8", "i4", "i8", "u4", "u8")
BROKEN = (
    *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile, zlib.error, EOFError, MemoryError),
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(SyntaxError, tokenize.TokenError),
)
"""What the unpickler, zipfile and numpy's header parser raise on bytes that are damaged or mean something else."""


class FlameFileError(Exception):
    """A FLAME file cannot be read or written; the message is one sentence for the user."""


def read(path: Path) -> FlameArrays:
    """The model in an official .pkl or in the .npz that `convert` makes of it; the content decides, not the name.

    Raises `FlameFileError`, also for a key that is missing, misshapen or no array of numbers.
    """
    content = _content(path)
    try:
        arrays = _from_npz(content) if content.startswith(b"PK") else _from_pickle(content)
    except _HoldsCode as found:
        raise FlameFileError(f"{path} holds code ({found}) and is not a FLAME model; nothing was run.") from None
    except BROKEN as error:
        raise FlameFileError(
            f"{path} is damaged or not a FLAME model; choose FLAME's own .pkl or the .npz made of it."
        ) from error
    return _checked(arrays, path)


def convert(path: Path, output: Path) -> None:
    """Write the model as a float32 .npz under FLAME's own keys, which reads faster and holds no pickle."""
    if output.suffix != ".npz":
        raise FlameFileError(f"The converted FLAME model is an .npz file, so {output} cannot be its name.")
    flame = read(path)
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("wb") as file:
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
        partial.replace(output)
    except OSError as error:
        raise FlameFileError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise FlameFileError(f"There is no FLAME file {path}.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FlameFileError(f"{path} is larger than any FLAME model; choose FLAME's own .pkl.")
        return path.read_bytes()
    except OSError as error:
        raise FlameFileError(f"{path} cannot be read: {error.strerror}.") from error


def _from_npz(content: bytes) -> dict[str, np.ndarray | None]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError("it unpacks to more than any FLAME model holds")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {key: np.asarray(stored[key]) for key in KEYS if key in stored}


def _from_pickle(content: bytes) -> dict[str, np.ndarray | None]:
    held = _Reader(io.BytesIO(content), encoding="latin1").load()
    if not isinstance(held, dict):
        raise TypeError("a FLAME pickle is a dictionary")
    return {key: _array(held[key]) for key in KEYS if key in held}


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
        raise FlameFileError(f"{path} is damaged: its f names vertices beyond its {vertices}.")
    floats = [
        numbers[key].astype(np.float32) for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
    ]
    return FlameArrays(numbers["f"].astype(np.int64), *floats)


def _numbers(arrays: Mapping[str, np.ndarray | None], key: str, path: Path) -> np.ndarray:
    """One array of at least one dimension whose numbers all fit into float32."""
    if key not in arrays:
        raise FlameFileError(f"{path} is not a FLAME model: it has no {key}.")
    array = arrays[key]
    if array is None or array.dtype.kind not in "fiu" or not array.shape or not array.size:
        raise FlameFileError(f"{path} is not a FLAME model: its {key} is not an array of numbers.")
    if not np.all(np.abs(array) < np.finfo(np.float32).max):
        raise FlameFileError(f"{path} is damaged: its {key} holds numbers that are infinite or NaN.")
    return array


class _HoldsCode(Exception):
    """The pickle names something that no FLAME file needs."""


class _Record:
    """What a pickle says of one object: the arguments it was made with, and its state. It does nothing."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_Record):
    """A numpy array; state (version, shape, number type, whether columns come first, bytes)."""


class _NumberType(_Record):
    """A numpy dtype; arguments ("f8", …), state (version, byte order, …)."""


class _Bytes(_Record):
    """Bytes as Python 3 writes them for Python 2; arguments (text, "latin1")."""


class _Chumpy(_Record):
    """A chumpy object; the state of a plain one is {"x": array, …}."""


class _SparseRows(_Record):
    """A scipy csr_matrix; state {"_shape", "indptr", "indices", "data", …}."""


class _SparseColumns(_SparseRows):
    """A scipy csc_matrix, of the same state."""


class _Empty(_Record):
    """The functions that make an empty object of the class they are given; its state follows."""

    def __new__(cls, kind: type[_Record], *_: object) -> _Record:
        return kind()


PERMITTED: dict[str, type[_Record]] = {
    "numpy.ndarray": _Array,
    "numpy.dtype": _NumberType,
    "numpy.core.multiarray.scalar": _Record,
    "numpy._core.multiarray.scalar": _Record,
    "numpy.core.multiarray._reconstruct": _Empty,
    "numpy._core.multiarray._reconstruct": _Empty,
    "copy_reg._reconstructor": _Empty,
    "copyreg._reconstructor": _Empty,
    "__builtin__.object": _Record,
    "builtins.object": _Record,
    "__builtin__.set": _Record,
    "builtins.set": _Record,
    "_codecs.encode": _Bytes,
    "scipy.sparse.csr.csr_matrix": _SparseRows,
    "scipy.sparse._csr.csr_matrix": _SparseRows,
    "scipy.sparse.csc.csc_matrix": _SparseColumns,
    "scipy.sparse._csc.csc_matrix": _SparseColumns,
}
"""All that FLAME files name beside chumpy's classes, each under its old and its new address."""


def _counted(step: Callable[[Any], None]) -> Callable[[Any], None]:
    """One instruction of a pickle, refused once the program is longer than a FLAME file's."""

    def counted(reader: _Reader) -> None:
        reader.steps += 1
        if reader.steps > MOST_STEPS:
            raise pickle.UnpicklingError("a FLAME pickle is shorter")
        step(reader)

    return counted


class _Reader(pickle._Unpickler):
    """Reads a pickle into records; the memory it takes grows with the file, not with what the file claims.

    This is the standard library's unpickler in Python: the one in C trusts a claimed length or index of gigabytes.
    """

    dispatch: ClassVar = {
        code: _counted(step) for code, step in pickle._Unpickler.dispatch.items() if code not in LEFT_OUT
    }
    steps = 0

    def find_class(self, module: str, name: str) -> type[_Record]:
        if module.partition(".")[0] == "chumpy":
            return _Chumpy
        try:
            return PERMITTED[f"{module}.{name}"]
        except KeyError:
            raise _HoldsCode(ascii(f"{module}.{name}"[:80])) from None


def _array(value: object) -> np.ndarray | None:
    """The array that a record describes; None where it describes none of numbers.

    Raises one of `BROKEN` where the record contradicts itself.
    """
    match value:
        case _Chumpy(state={"x": _Array() as array}):
            return _array(array)
        case _Array(state=(_, shape, _NumberType(arguments=(kind, *_), state=(_, order, *_)), columns_first, data)):
            if kind in NUMBER_TYPES:
                return np.frombuffer(_raw(data), order + kind).reshape(shape, order="F" if columns_first else "C")
        case _SparseRows(state=dict() as state):
            return _dense(state, isinstance(value, _SparseColumns))
    return None


def _dense(state: dict[str, Any], by_columns: bool) -> np.ndarray:
    """A compressed sparse matrix with its zeros; repeated places add up, as in scipy."""
    rows, columns = state["_shape"]
    if rows * columns > MOST_BYTES // 8:
        raise ValueError("a sparse matrix claims to be larger than any FLAME model")
    dense = np.zeros((rows, columns))
    starts, places, data = (np.asarray(_array(state[key])) for key in ("indptr", "indices", "data"))
    for line, (start, stop) in zip(dense.T if by_columns else dense, pairwise(starts), strict=True):
        np.add.at(line, places[start:stop], data[start:stop])
    return dense


def _raw(data: object) -> bytes:
    """An array's bytes, which Python 2 wrote as text in Latin-1."""
    match data:
        case bytes():
            return data
        case str():
            return data.encode("latin1")
        case _Bytes(arguments=(str() as text, *_)):
            return text.encode("latin1")
    raise TypeError("the bytes of an array are missing")
