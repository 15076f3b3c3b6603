# SPDX-License-Identifier: GPL-3.0-or-later
"""TalkSHOW (SHOW): SPEAKER/VIDEO/train|val|test/CLIP/CLIP.pkl with SMPL-X parameters at 30 fps, and CLIP.wav beside it.

The expression (100) and the jaw (3) of SMPL-X are those of FLAME; they become UniTalker's 413 FLAME parameters on the
mean head, looking straight ahead. Clips that no folder gives a split (the raw SHOW archives) are drawn one.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from backend.face import FLAME_CHANNELS, annotation
from backend.foreign.plain_pickle import PickleError, read_arrays
from backend.training.motion.clip import ClipError

from .annotated import SPLITS, AnnotatedClip, DataSet, Pair, Split, checked, drawn_split, pairs

SPACE = annotation("flame_params_from_dadhead", len(FLAME_CHANNELS), 30.0)
EXPRESSION = slice(300, 400)
JAW = slice(400, 403)
UNDECIDED: Split = "unused"
SHORTEST_FRAMES = 90
"""TalkSHOW leaves out shorter clips."""


def read(folder: Path) -> list[DataSet]:
    """The data set in a folder of speakers' folders. Raises CorpusError."""
    clips = tuple(_clip(pair) for pair in pairs(folder, ".pkl", folder))
    undecided = [clip for clip in clips if clip.split == UNDECIDED]
    decided = tuple(clip for clip in clips if clip.split != UNDECIDED)
    identities = tuple(sorted({clip.identity for clip in clips}))
    return [DataSet("talkshow", SPACE, identities, decided + drawn_split(undecided))]


def _clip(pair: Pair) -> AnnotatedClip:
    parts = PurePosixPath(pair.name).parts
    return AnnotatedClip(*pair, _load, SPACE.fps, SPACE.name, parts[0], _split(parts[:-1]))


def _split(folders: tuple[str, ...]) -> Split:
    for split in SPLITS:
        if folders.count(split):
            return split
    return UNDECIDED


def _load(path: Path) -> np.ndarray:
    """float32 [frames, 413]. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"There is no annotation {path}.")
    try:
        arrays = read_arrays(path)
        expression, jaw = (arrays[key] for key in ("expression", "jaw_pose"))
    except PickleError as error:
        raise ClipError(str(error)) from error
    except KeyError as error:
        raise ClipError(f"{path} is no TalkSHOW clip: it has no {error}.") from error
    if len(expression) != len(jaw) or len(jaw) < SHORTEST_FRAMES:
        raise ClipError(f"{path} has {len(jaw)} frames; TalkSHOW uses clips of {SHORTEST_FRAMES} or more.")
    motion = np.zeros((len(jaw), SPACE.dim), np.float32)
    motion[:, EXPRESSION] = checked(expression, path, 100)
    motion[:, JAW] = checked(jaw, path, 3)
    return motion
