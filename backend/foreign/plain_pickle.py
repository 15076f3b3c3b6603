# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays out of other people's pickles (FLAME, templates.pkl, TalkSHOW), without running anything in them.

A pickle is a program that names functions and has them called. Here every permitted name stands for an inert record,
so all the program can do is say which bytes make up which array: numpy, scipy and chumpy never see it.
"""

from __future__ import annotations

import io
import pickle  # noqa: TID251 - published data comes as pickles; nothing that they name is imported or called
import struct
from collections.abc import Callable, Collection
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

MOST_BYTES = 1 << 29
"""Ten times the size of FLAME 2020, the largest of them."""
MOST_STEPS = 100_000
"""Files of arrays take some hundred steps: an array is one step, however large."""
LEFT_OUT = {code[0] for code in (pickle.EXT1, pickle.EXT2, pickle.EXT4)}
"""Instructions that read the registry of this Python."""
STEPS = pickle._Unpickler.dispatch | {pickle.BYTEARRAY8[0]: pickle._Unpickler.dispatch[pickle.BINBYTES8[0]]}
"""Byte arrays are read as bytes, which are written alike: the library sets their memory aside before it reads them."""
NUMBER_TYPES = ("f4", "f8", "i4", "i8", "u4", "u8")
BROKEN = (
    *(pickle.UnpicklingError, struct.error, EOFError, MemoryError),
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
)
"""What the unpickler raises on bytes that are damaged or mean something else."""


class PickleError(Exception):
    """A pickle of arrays cannot be read; the message is one sentence for the user."""


class HoldsCode(Exception):
    """The pickle names something that no file of arrays needs; the message is the name."""


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of numbers in a pickled dictionary, by their keys; everything else in it is passed over.

    Raises `PickleError`.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PickleError(f"{path} is larger than any file of its kind; check that it is the right one.")
        arrays = arrays_in(path.read_bytes())
    except OSError as error:
        raise PickleError(f"{path} cannot be read: {error.strerror}.") from error
    except HoldsCode as found:
        raise PickleError(f"{path} holds code ({found}) instead of arrays; nothing was run.") from None
    except BROKEN as error:
        raise PickleError(f"{path} is damaged or no pickled dictionary; get it again.") from error
    return {key: values for key, values in arrays.items() if values is not None}


def arrays_in(content: bytes, keys: Collection[str] | None = None) -> dict[str, np.ndarray | None]:
    """The entries of a pickled dictionary (all, or those under `keys`); None for those that are no array of numbers.

    Raises `HoldsCode`, or one of `BROKEN`.
    """
    held = _Reader(io.BytesIO(content), encoding="latin1").load()
    if not isinstance(held, dict):
        raise TypeError("the pickle holds no dictionary")
    return {str(key): _array(value) for key, value in held.items() if keys is None or key in keys}


class _Record:
    """What a pickle says of one object: the arguments it was made with, and its state. It does nothing."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_Record):
    """A numpy array; state (version, shape, number type, whether columns come first, bytes)."""


class _Buffer(_Record):
    """A numpy array of protocol 5; arguments (bytes, number type, shape, "C" or "F")."""


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
    "numpy.core.numeric._frombuffer": _Buffer,
    "numpy._core.numeric._frombuffer": _Buffer,
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
"""All that such files name beside chumpy's classes, each under its old and its new address."""


def _counted(step: Callable[[Any], None]) -> Callable[[Any], None]:
    """One instruction of a pickle, refused once the program is longer than that of a file of arrays."""

    def counted(reader: _Reader) -> None:
        reader.steps += 1
        if reader.steps > MOST_STEPS:
            raise pickle.UnpicklingError("files of arrays take fewer steps")
        step(reader)

    return counted


class _Reader(pickle._Unpickler):
    """Reads a pickle into records; the memory it takes grows with the file, not with what the file claims.

    This is the standard library's unpickler in Python: the one in C trusts a claimed length or index of gigabytes.
    """

    dispatch: ClassVar = {code: _counted(step) for code, step in STEPS.items() if code not in LEFT_OUT}
    steps = 0

    def find_class(self, module: str, name: str) -> type[_Record]:
        if module.partition(".")[0] == "chumpy":
            return _Chumpy
        try:
            return PERMITTED[f"{module}.{name}"]
        except KeyError:
            raise HoldsCode(ascii(f"{module}.{name}"[:80])) from None


def _array(value: object) -> np.ndarray | None:
    """The array that a record describes; None where it describes none of numbers.

    Raises one of `BROKEN` where the record contradicts itself.
    """
    match value:
        case _Chumpy(state={"x": _Array() | _Buffer() as array}):
            return _array(array)
        case _Array(state=(_, shape, _NumberType() as kind, columns_first, data)):
            return _numbers(data, kind, shape, columns_first)
        case _Buffer(arguments=(data, _NumberType() as kind, shape, "C" | "F" as layout)):
            return _numbers(data, kind, shape, layout == "F")
        case _SparseRows(state=dict() as state):
            return _dense(state, isinstance(value, _SparseColumns))
    return None


def _numbers(data: object, number_type: _NumberType, shape: Any, columns_first: object) -> np.ndarray | None:  # noqa: ANN401
    match number_type:
        case _NumberType(arguments=(kind, *_), state=(_, order, *_)) if kind in NUMBER_TYPES:
            return np.frombuffer(_raw(data), order + kind).reshape(shape, order="F" if columns_first else "C")
    return None


def _dense(state: dict[str, Any], by_columns: bool) -> np.ndarray:
    """A compressed sparse matrix with its zeros; repeated places add up, as in scipy."""
    rows, columns = state["_shape"]
    if rows * columns > MOST_BYTES // 8:
        raise ValueError("a sparse matrix claims to be larger than any file of its kind")
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
