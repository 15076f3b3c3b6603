# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo head as it ships: `rigs/demo_head.npz` read back, posed by weights, and as a FaceSpace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.face import FaceSpace

FILE = Path(__file__).resolve().parents[2] / "rigs" / "demo_head.npz"
FRAMES_PER_SECOND = 60.0
EYE_HEIGHT = 0.205
"""Height above the bust's edge over which a vertex of the skin counts to the upper face, metres."""


@dataclass(frozen=True, eq=False)
class ShippedHead:
    """The arrays of the file, and what can be read off them."""

    arrays: Mapping[str, np.ndarray]

    @property
    def names(self) -> list[str]:
        """The names of the shapes, in the order of the weights."""
        return self.arrays["shapes"].tolist()

    @cached_property
    def rest(self) -> np.ndarray:
        """float64 [V, 3]: the neutral head in millimetres."""
        return self.arrays["vertices"].astype(float) * 1e3

    @cached_property
    def shapes(self) -> np.ndarray:
        """float64 [52, V, 3]: displacement of each shape at 1, millimetres."""
        return self.arrays["steps"].astype(float) * float(self.arrays["unit"]) * 1e3

    def posed(self, weights: Mapping[str, float]) -> np.ndarray:
        """float64 [V, 3]: the head with some shapes set, in millimetres; a name without its side sets both sides.

        Raises KeyError for a name that is no shape.
        """
        places = self.rest.copy()
        for name, weight in weights.items():
            rows = [self.names.index(full) for full in (name, f"{name}Left", f"{name}Right") if full in self.names]
            if not rows:
                raise KeyError(name)
            places += weight * self.shapes[rows].sum(axis=0)
        return places

    def rows(self, part: str) -> np.ndarray:
        """int64: the vertices of a part, such as "upper teeth"."""
        return np.nonzero(self.arrays["part"] == self.arrays["parts"].tolist().index(part))[0]

    def face_space(self) -> FaceSpace:
        """The head as a FaceSpace: its vertices in metres, the red of the lips, and the skin above the cheeks."""
        rest = self.arrays["vertices"]
        skin = self.rows("skin")
        upper = skin[(rest[skin, 2] > EYE_HEIGHT) & (rest[skin, 1] < 0.0)]
        lips = np.unique(self.arrays["lips"][:6]).astype(np.int64)
        return FaceSpace(
            "demo_head", "vertices", FRAMES_PER_SECOND, rest.size, template=rest.ravel(), lips=lips, upper_face=upper
        )


def load(path: Path = FILE) -> ShippedHead:
    """Reads the file that ships (or another one of the same layout)."""
    with np.load(path, allow_pickle=False) as data:
        return ShippedHead(dict(data))
