# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished motion as a file for other programs: the model's own motion, as the backend's `generate` writes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .errors import BadInput
from .motion import Motion


def check(path: Path) -> None:
    """Raises `BadInput` where no motion can be written under that name."""
    from ..backend import motion_file  # here and below, not at the top: it needs numpy

    try:
        motion_file.checked_format(path)
    except motion_file.MotionFileError as problem:
        raise BadInput(str(problem)) from problem
    if not path.absolute().parent.is_dir():
        raise BadInput(f"The folder of {path} does not exist. Make it first, or choose another.")


def write(path: Path, takes: Sequence[Motion]) -> list[Path]:
    """Write .npz, .json or .csv (Live Link Face), by the name's ending; of several takes NAME.take1.csv and so on.

    Raises `BadInput` where the file cannot be written or cannot hold such a motion.
    """
    from ..backend import motion_file

    numbered = [path.with_suffix(f".take{number}{path.suffix}") for number in range(1, len(takes) + 1)]
    paths = numbered if len(takes) > 1 else [path]
    for one, motion in zip(paths, takes, strict=True):
        about = json.dumps(dict(motion.metadata), ensure_ascii=False)
        content = motion_file.Motion(motion.space, motion.fps, motion.values, motion.names, metadata=about)
        try:
            motion_file.write(one, content)
        except motion_file.MotionFileError as problem:
            raise BadInput(str(problem)) from problem
    return paths
