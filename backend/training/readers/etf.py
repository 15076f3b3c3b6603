# SPDX-License-Identifier: GPL-3.0-or-later
"""3D-ETF (EmoTalk): 52 weights at 30 fps in .npy files and sounds of the same names, in whatever folders they lie.

Weights are in alphabetical order; some are negative and become 0. RAVDESS names end with the actor, HDTF names with
the number of a piece. RAVDESS names also say the emotion (`emotion_labels`). No split is published, so one is drawn.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from backend.face import ETF_CHANNELS, annotation
from backend.training.errors import CorpusError

from . import emotion_labels
from .annotated import SOUND_ENDINGS, AnnotatedClip, DataSet, Pair, drawn_split, files_by_name, load_npy

SPACE = annotation("3DETF_blendshape_weight", len(ETF_CHANNELS), 30.0)


def read(folder: Path) -> list[DataSet]:
    """The data set in a folder with HDTF, RAVDESS or both. Raises CorpusError."""
    motions = _by_stem(files_by_name(folder, (".npy",)))
    sounds = _by_stem(files_by_name(folder, SOUND_ENDINGS))
    if not motions:
        raise CorpusError(f"{folder} holds no .npy files; check the folder and the layout.")
    clips = drawn_split(
        _clip(Pair(stem, motions.get(stem, folder / f"{stem}.npy"), sounds.get(stem, folder / f"{stem}.wav")))
        for stem in sorted({*motions, *sounds})
    )
    identities = tuple(sorted({clip.identity for clip in clips}))
    return [DataSet("3d-etf", SPACE, identities, clips)]


def identity_of(stem: str) -> str:
    """The actor of a RAVDESS recording, or the video of an HDTF piece."""
    actor = re.fullmatch(r"\d\d(?:-\d\d){5}-(\d\d).*", stem)
    return f"actor{actor[1]}" if actor else re.sub(r"(_\d+)+$", "", stem)


def _by_stem(files: dict[str, Path]) -> dict[str, Path]:
    by_stem: dict[str, Path] = {}
    for path in files.values():
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise CorpusError(f"{other} and {path} have one name, so that nobody knows which sound is whose.")
    return by_stem


def _clip(pair: Pair) -> AnnotatedClip:
    felt = emotion_labels.of_ravdess(pair.name)
    return AnnotatedClip(*pair, _load, SPACE.fps, SPACE.name, identity_of(pair.name), "train", emotions=felt)


def _load(path: Path) -> np.ndarray:
    return np.maximum(load_npy(path, SPACE.dim), 0)
