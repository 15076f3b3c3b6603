# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suite measures: rows of the page's table, and the memory and handles of a process."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

MB = 1 << 20

posix = pytest.mark.skipif(os.name != "posix", reason="signals, pipes and limits of POSIX systems")
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory and handles are read from Linux's /proc")


@dataclass(frozen=True)
class Row:
    """One fault, how often it was tried, and what came of it."""

    fault: str
    tried: int
    outcome: str
    test: str


def memory(process: int) -> int:
    """Bytes of memory that a process has to itself."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])


def handles(process: int) -> int:
    """Files, pipes and sockets that a process has open."""
    return len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208 (what is open changes while it is listed)


def held(process: int | str) -> dict[str, str]:
    """What a process ("self": this one) has open, with the number it has there; what closes meanwhile is not held."""
    numbers = {}
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            numbers[str(link.readlink())] = link.name
    return numbers


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_sentence(text: str) -> bool:
    """Whether this is one line that an artist can read: it ends, and is no traceback or bare code."""
    return text.endswith((".", "?")) and "\n" not in text and len(text.split()) > 2 and "Traceback" not in text
