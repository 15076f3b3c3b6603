# SPDX-License-Identifier: GPL-3.0-or-later
"""One curve's way from the rig's values to keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import bpy

from .owner import Owner

if TYPE_CHECKING:
    import numpy as np

    from ..rig.targets import Curve


@dataclass(eq=False)
class Strand:
    """One curve's way from the rig's values to keys."""

    owner: Owner
    path: str
    index: int
    asked: np.ndarray
    """float32 [frames]: what the rig asks for, within the property's limits."""
    cut: float
    """By how much these limits cut the motion, at the most."""
    shown: np.ndarray
    """float32 [frames]: what the keys show, once they are made."""

    @classmethod
    def of(cls, curve: Curve) -> Strand:
        """A rig's curve, within the limits of its property."""
        values = curve.values.clip(*curve.limits)
        cut = float(abs(values - curve.values).max(initial=0.0))
        return cls(Owner.of(curve.datablock), curve.data_path, curve.index, values, cut, values)

    @property
    def target(self) -> tuple[str, int]:
        """Which property of its owner it moves."""
        return self.path, self.index

    @property
    def kind(self) -> Literal["shape key", "bone", "property"]:
        """What it moves. The custom property of a bone is a property."""
        if self.owner.kind == "KEY":
            return "shape key"
        is_channel = self.path.startswith("pose.bones[") and not self.path.endswith("]")
        return "bone" if is_channel else "property"

    @property
    def title(self) -> str:
        """What the artist calls it: the name of a shape key, a bone or a property."""
        named = re.search(r'\["(.*?)(?<!\\)"\]', self.path)
        return bpy.utils.unescape_identifier(named[1]) if named else self.path
