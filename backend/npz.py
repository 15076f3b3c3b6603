# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of arrays (.npz), read without believing what they say of themselves.

numpy sets memory aside for whatever size an array claims, and unpacks whatever an archive holds. Here an array's claim
must be just what its archive keeps for it, and an archive that unpacks to far too much is not unpacked.
"""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np

UNSUSPICIOUS_BYTES = 64 << 20
MOST_RATIO = 200
"""How many times its size on disk a larger archive may unpack to; motion of a face packs to a third."""
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What numpy writes; others unpack a few bytes to gigabytes in one go, whatever the archive says of their size."""
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, SyntaxError, tokenize.TokenError),
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError),
)
"""What zipfile and numpy's header parser raise on bytes that are damaged or mean something else."""


class NpzError(ValueError):
    """Bytes are no archive of arrays; the message ends a sentence about the file."""


def read(source: Path | bytes, most_bytes: int, keys: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an archive (all, or those under `keys`), of any type that holds no Python objects.

    Raises `NpzError`, before memory is taken for more than `most_bytes` of arrays, and `OSError`.
    """
    try:
        with zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source)) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            wanted = {name: member for name, member in members.items() if keys is None or name in keys}
            _check_sizes(list(wanted.values()), most_bytes)
            return {name: _read_array(archive, member) for name, member in wanted.items()}
    except NpzError:
        raise
    except _BROKEN as error:
        raise NpzError("it is damaged or no archive of arrays") from error


def _check_sizes(members: list[zipfile.ZipInfo], most_bytes: int) -> None:
    if any(member.compress_type not in _PACKINGS for member in members):
        raise NpzError("it is packed in another way than arrays are")
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > most_bytes or unpacked > max(MOST_RATIO * packed, UNSUSPICIOUS_BYTES):
        raise NpzError(f"it would unpack to {unpacked / 1e9:.1f} GB, more than any file of its kind")


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as stream:
        shape, by_columns, number_type = _header(stream)
        if number_type.hasobject:
            raise NpzError(f"{member.filename} holds Python objects instead of numbers")
        size = math.prod(shape) * number_type.itemsize
        if size != member.file_size - stream.tell():
            raise NpzError(f"{member.filename} claims another size than it has")
        data = bytearray(stream.read(size))  # without a size it would be unpacked as far as it goes
    return np.frombuffer(data, number_type).reshape(shape, order="F" if by_columns else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, number type; of the .npy format's versions that hold plain numbers."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    return readers[np.lib.format.read_magic(stream)](stream)
