# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's torch checkpoints (.pt, .pth, .bin), read without running them or believing their sizes.

torch itself runs nothing where it loads weights only, but it sets aside whatever memory a tensor claims and unpacks
whatever an archive holds. So the claims are looked at first.
"""

from __future__ import annotations

import io
import itertools
import mmap
import pickletools
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import torch

MOST_PROGRAM_BYTES = 64 << 20
"""Of the pickle in a checkpoint: it names tensors and does not hold them."""
_OLD_PREFIX = 3
"""Pickles before that of the tensors in files of torch before 1.6: a mark, a version, the machine."""
_UNREADABLE = (
    torch.serialization.pickle.UnpicklingError,  # pyright: ignore[reportPrivateImportUsage]
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, MemoryError, RuntimeError),
    *(TypeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error),
)
"""What torch raises for checkpoints that are damaged, foreign, or hold more than tensors."""


class TorchFileError(Exception):
    """A file is no checkpoint that can be read; the message is one sentence for the user."""


def load(path: Path) -> object:
    """What a checkpoint holds, mapped from the disk where torch can. Raises `TorchFileError` and `OSError`."""
    if not path.stat().st_size:
        raise TorchFileError(f"{path} is empty; get it again.")
    try:
        zipped = zipfile.is_zipfile(path)
        if zipped:
            _check_archive(path)
        else:
            _check_old(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except OSError:
        raise
    except _UNREADABLE as error:
        raise TorchFileError(f"{path} is damaged or holds more than tensors, and was not run; get it again.") from error


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("torch packs nothing")
        programs = [member for member in members if member.filename.endswith(".pkl")]
        if sum(member.file_size for member in programs) > MOST_PROGRAM_BYTES:
            raise ValueError("the program is longer than any that names tensors")
        for program in programs:
            _check_numbers(io.BytesIO(archive.read(program)), path)


def _check_old(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        stream = cast(BinaryIO, content)
        for _ in itertools.chain.from_iterable(pickletools.genops(stream) for _ in range(_OLD_PREFIX)):
            pass
        _check_numbers(stream, path)


def _check_numbers(program: BinaryIO, path: Path) -> None:
    """No length, offset or step of a tensor can be greater than the file."""
    most = path.stat().st_size
    if any(isinstance(number, int) and number > most for _, number, _ in pickletools.genops(program)):
        raise ValueError("a tensor claims more than there is")
