# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion asks of a character: a curve for everything that has to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .face import Face

if TYPE_CHECKING:
    import numpy as np
    from bpy.types import ID

    from ..motion import Motion


@dataclass(frozen=True, eq=False)
class Curve:
    """One value per frame for one animatable number of the character."""

    datablock: ID
    """What carries the animation: the Key of a mesh, or an armature object. Good until the artist's next step."""
    data_path: str
    index: int
    """Place in the property where it has several numbers (a location), else 0."""
    values: np.ndarray
    """float32 [frames], not yet clipped."""
    limits: tuple[float, float]
    """What the property can hold; a shape key's slider range."""
    channels: frozenset[str]
    """The model's channels that move it, by their ARKit names; tells which region of the face it belongs to."""


def targets_of(face: Face, motion: Motion) -> list[Curve]:
    """The curves that show a motion on a face, datablock by datablock; unmoved controls get none.

    Raises `BadInput` where not one channel of the motion moves this face.
    """
    weights = face.match.matrix(motion.names)
    columns = motion.values @ weights.T
    curves: list[Curve] = []
    for row, (control, name) in enumerate(face.match.found.items()):
        if weights[row].any():
            block = face.key.key_blocks[name]
            limits = (block.slider_min, block.slider_max)
            moved_by = frozenset(face.match.profile.shape_keys[control])
            curves.append(Curve(face.key, block.path_from_id("value"), 0, columns[:, row], limits, moved_by))
    return curves
