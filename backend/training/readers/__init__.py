# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of published data sets: one module per layout, each with `read(folder) -> list[DataSet]`.

A reader only lists what is there; sound and motion are opened clip by clip when somebody asks for them. Modules are
imported when they are used, because some of them bring torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from backend.training.errors import CorpusError

if TYPE_CHECKING:
    from .annotated import DataSet

Reader = Callable[[Path], "list[DataSet]"]

LAYOUTS = {
    "unitalker": "unitalker_release",
    "biwi": "biwi",
    "vocaset": "vocaset",
    "vocaset-unitalker": "vocaset_unitalker",
    "multiface": "multiface",
    "3d-etf": "etf",
    "beat": "beat",
    "talkshow": "talkshow",
    "livelink": "live_link",
    "clips": "clip_folder",
    "speakers": "speakers",
}
"""Names of the layouts, as the command line takes them, and the module that reads each."""


def reader(layout: str) -> Reader:
    """The reader of a layout; raises CorpusError with all names for an unknown one."""
    if layout not in LAYOUTS:
        raise CorpusError(f"There is no layout {layout!r}; choose one of {', '.join(LAYOUTS)}.")
    return importlib.import_module(f".{LAYOUTS[layout]}", __name__).read
