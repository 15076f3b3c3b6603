# SPDX-License-Identifier: GPL-3.0-or-later
"""VOCASET in FaceFormer's folder with UniTalker's split: of each speaker's 40 sentences, 32 train, 4 validate, 4 test.

Which sentences these are is only said by train.json, val.json and test.json of UniTalker's release (D1_vocaset). Copied
into the folder, they decide, by file names; without them the split is drawn here, and figures are not comparable.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from . import unitalker_release, vocaset
from .annotated import DataSet, drawn_split


def read(folder: Path) -> list[DataSet]:
    """The data set in the folder with vertices_npy, wav and templates.pkl. Raises CorpusError."""
    (found,) = vocaset.read(folder)
    official = unitalker_release.split_of_files(folder)
    if not official:
        return [replace(found, name="vocaset-unitalker", clips=drawn_split(found.clips))]
    clips = tuple(replace(clip, split=official.get(clip.name, "unused")) for clip in found.clips)
    return [replace(found, name="vocaset-unitalker", clips=clips)]
