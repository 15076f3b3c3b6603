# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts: aligned recordings in a folder, told by what lies in it."""

from __future__ import annotations

from pathlib import Path

from backend.training.errors import CorpusError

from . import corpus, librispeech
from .corpus import Recording


def read(folder: Path) -> tuple[list[Recording], str]:
    """All recordings of a folder that can be used, and a sentence about what was left out, empty where nothing was.

    Raises CorpusError for a folder of no known layout, and for what is broken in it.
    """
    if (folder / corpus.MANIFEST).is_file():
        return corpus.read(folder), ""
    if librispeech.is_layout(folder):
        return librispeech.read(folder)
    wanted = f"a {corpus.MANIFEST}, as `synthesize` writes it, or LibriSpeech's .flac and .trans.txt with TextGrids"
    raise CorpusError(f"{folder} is no corpus; name a folder that holds {wanted}.")
