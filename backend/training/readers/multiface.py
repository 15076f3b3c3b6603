# SPDX-License-Identifier: GPL-3.0-or-later
"""Multiface in MeshTalk's 6172 vertices as FaceDiffuser keeps it: 01_01 to 13_50 at 30 fps, with its split.

FaceDiffuser stores every axis between -1 and 1 (its `preprocess.py`); here it becomes millimetres again, so that the
scale of UniTalker makes metres of it. Folders that are in millimetres already are told by the size of their faces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import vertex_folder
from .annotated import DataSet, Split

LOWEST = np.array([-117.798, -213.735, -177.091], np.float32)
HIGHEST = np.array([125.922, 185.796, 75.365], np.float32)
"""Millimetres that -1 and 1 stand for, by axis."""
TRAINED = ("2", "3", "6", "7", "9", "10", "11", "12", "13")
TESTED = ("1", "4", "5", "8")
_LARGEST_NORMALISED = 2.0


def read(folder: Path) -> list[DataSet]:
    """The data set in the folder with vertices_npy, wav and templates.pkl. Raises CorpusError."""
    return [vertex_folder.read(folder, FACTS, _unit)]


def millimetres(values: np.ndarray) -> np.ndarray:
    """Values between -1 and 1, [..., 18516], as millimetres."""
    points = values.reshape(*values.shape[:-1], -1, 3)
    return ((points + 1) / 2 * (HIGHEST - LOWEST) + LOWEST).reshape(values.shape)


def _unit(templates: np.ndarray) -> vertex_folder.Unit:
    return millimetres if np.abs(templates).max() <= _LARGEST_NORMALISED else np.asarray


def _split(subject: str, sentence: int) -> Split:
    if subject in TESTED:
        return "test" if 46 <= sentence <= 50 else "unused"
    if subject not in TRAINED or sentence > 45:
        return "unused"
    return "train" if sentence <= 40 else "val"


FACTS = vertex_folder.VertexFolder("multiface", "meshtalk_6172_vertices", 30.0, TRAINED + TESTED, _split)
