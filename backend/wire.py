# SPDX-License-Identifier: GPL-3.0-or-later
"""Frozen dataclasses as frames on a pipe, and back; it knows no message by name.

Standard library, and numpy inside functions: Blender's Python imports this file too.

A frame is ``u32 header bytes, u32 payload bytes`` (little endian), a UTF-8 JSON header and a payload. The header holds
the message's name under ``"message"`` and its fields; an array is replaced by ``{"dtype", "shape"}`` and its raw
little-endian bytes follow in the payload, in the order of the fields. Whatever does not fit exactly raises
`ProtocolError`.
"""

from __future__ import annotations

import functools
import json
import math
import struct
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TypeAlias, TypeVar

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, Any]
else:

    class Array:
        """Stands for a numpy array in annotations, so that importing this file needs no numpy."""


MAX_HEADER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = (1 << 32) - 1
DTYPES = {"uint8": 1, "float32": 4}
"""Every array type on the wire, with its bytes per number."""

_Kind = TypeVar("_Kind")

_Hint: TypeAlias = Any
"""A field's annotation, as `typing.get_type_hints` gives it."""

_ArrayRule: TypeAlias = "Callable[[object, Layout, str], object]"
"""What becomes of an array field: (value, what it must look like, where it stands)."""

_PIECE_BYTES = 1 << 20
_SIZES = struct.Struct("<II")


class ProtocolError(Exception):
    """The other side sent something that is not a frame of this protocol."""


@dataclass(frozen=True)
class Layout:
    """What an array field must look like."""

    dtype: str
    """A key of `DTYPES`."""
    dimensions: tuple[int, ...]
    """The numbers of dimensions allowed."""


def write(stream: BinaryIO, message: object, kinds: Mapping[str, type[object]]) -> None:
    """Send one message, whose class is among `kinds`, through a buffered binary stream and flush it.

    Raises `ProtocolError`, before a byte is sent, for a message that `read` would refuse.
    """
    kind = type(message)
    if kinds.get(kind.__name__) is not kind:
        raise ProtocolError(f"{kind.__name__} is not a message of this protocol.")
    arrays: list[Array] = []

    def announce(value: object, layout: Layout, where: str) -> dict[str, object]:
        arrays.append(_checked_array(value, layout, where))
        return {"dtype": layout.dtype, "shape": arrays[-1].shape}

    fields = _checked_fields(vars(message), kind, announce)
    header = json.dumps({"message": kind.__name__, **fields}, default=vars, separators=(",", ":")).encode()
    payload_bytes = sum(array.nbytes for array in arrays)
    if len(header) > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
        raise ProtocolError(f"{kind.__name__} is too long for one frame.")
    stream.write(_SIZES.pack(len(header), payload_bytes) + header)
    for array in arrays:
        stream.write(array.reshape(-1).view("uint8").data)
    stream.flush()


def read(stream: BinaryIO, kinds: Mapping[str, type[_Kind]]) -> _Kind | None:
    """Wait for one message out of `kinds`; None where the stream ends between two frames.

    Raises `ProtocolError` for everything that `write` does not produce; memory is taken only as bytes arrive.
    """
    first = stream.read(1)
    if not first:
        return None
    header_bytes, payload_bytes = _SIZES.unpack(first + _read_exactly(stream, _SIZES.size - 1))
    if header_bytes > MAX_HEADER_BYTES:
        raise ProtocolError(f"A header of {header_bytes} bytes is longer than {MAX_HEADER_BYTES}.")
    header = _parse(_read_exactly(stream, header_bytes))
    kind = kinds.get(str(header.pop("message", None)))
    if kind is None:
        raise ProtocolError("The header does not name a message of this protocol.")
    fields = _checked_fields(header, kind, _announced_array)
    slots = {name: value for name, value in fields.items() if isinstance(value, _Slot)}
    expected = sum(slot.bytes for slot in slots.values())
    if payload_bytes != expected:
        raise ProtocolError(f"{kind.__name__} announces {expected} bytes of arrays, its frame {payload_bytes}.")
    return kind(**fields | {name: slot.fill(_read_exactly(stream, slot.bytes)) for name, slot in slots.items()})


@dataclass(frozen=True)
class _Slot:
    """An array that the header announces and the payload still holds."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype]

    def fill(self, data: bytearray) -> Array:
        import numpy as np

        return np.frombuffer(data, np.dtype(self.dtype).newbyteorder("<")).reshape(self.shape)


def _read_exactly(stream: BinaryIO, count: int) -> bytearray:
    """`count` bytes, in pieces: a lie about the length costs no memory."""
    data = bytearray()
    while len(data) < count:
        piece = stream.read(min(count - len(data), _PIECE_BYTES))
        if not piece:
            raise ProtocolError(f"The stream ended in the middle of a frame, {count - len(data)} bytes early.")
        data += piece
    return data


def _parse(header: bytearray) -> dict[str, object]:
    try:
        fields = json.loads(header.decode())
    except (ValueError, RecursionError) as error:
        raise ProtocolError("The header is not UTF-8 JSON.") from error
    if not isinstance(fields, dict):
        raise ProtocolError("The header is not a JSON object.")
    return fields


@functools.cache
def _hints(kind: type) -> dict[str, _Hint]:
    return typing.get_type_hints(kind, include_extras=True)


def _checked_fields(fields: object, kind: type, array: _ArrayRule) -> dict[str, Any]:
    """The fields of one message or part of one, in order; `array` says what becomes of array fields."""
    hints = _hints(kind)
    if not isinstance(fields, dict) or fields.keys() != hints.keys():
        raise ProtocolError(f"{kind.__name__} must have exactly the fields {', '.join(hints)}.")

    return {name: _checked(fields[name], hints[name], f"{kind.__name__}.{name}", array) for name in hints}


def _checked(value: object, hint: _Hint, where: str, array: _ArrayRule) -> object:
    if typing.get_origin(hint) is Annotated:
        return array(value, hint.__metadata__[0], where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise ProtocolError(f"{where} must be a list, not {type(value).__name__}.")
        return tuple(_checked(item, typing.get_args(hint)[0], where, array) for item in value)
    if hint in (bool, int, float, str):
        return _checked_scalar(value, hint, where)
    return hint(**_checked_fields(vars(value) if isinstance(value, hint) else value, hint, array))


def _checked_scalar(value: Any, kind: type[Any], where: str) -> bool | int | float | str:  # noqa: ANN401
    """`value` as a `kind`; an int will do for a float, and a bool only for a bool."""
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or isinstance(value, bool) is not (kind is bool):
        raise ProtocolError(f"{where} must be of type {kind.__name__}, not {type(value).__name__}.")
    if kind is float and not abs(value) <= sys.float_info.max:
        raise ProtocolError(f"{where} must be a finite number.")
    return kind(value)


def _checked_array(value: object, layout: Layout, where: str) -> Array:
    """`value` in C order and little-endian."""
    import numpy as np

    if not isinstance(value, np.ndarray) or value.dtype.name != layout.dtype or value.ndim not in layout.dimensions:
        raise ProtocolError(f"{where} must be a {layout.dtype} array of {layout.dimensions} dimensions.")
    return np.ascontiguousarray(value, value.dtype.newbyteorder("<"))


def _announced_array(value: object, layout: Layout, where: str) -> _Slot:
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape"} or not isinstance(value["shape"], list):
        raise ProtocolError(f"{where} must announce an array by dtype and shape.")
    shape = tuple(int(_checked_scalar(length, int, where)) for length in value["shape"])
    if value["dtype"] != layout.dtype or len(shape) not in layout.dimensions:
        raise ProtocolError(f"{where} must be a {layout.dtype} array of {layout.dimensions} dimensions.")
    if min(shape) < 0 or math.prod(max(length, 1) for length in shape) * DTYPES[layout.dtype] > MAX_PAYLOAD_BYTES:
        raise ProtocolError(f"{where} has an impossible shape.")
    return _Slot(layout.dtype, shape)
