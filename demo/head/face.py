# SPDX-License-Identifier: GPL-3.0-or-later
"""The face as something that moves: the neutral head, its sculpture, and how a pose of lips or skin becomes a shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import eyelids, lips
from .anatomy import Anatomy
from .fields import Triple
from .lip_moves import RINGS
from .sculpt import TAUT, Sculpture

Pulls = Mapping[Triple, Triple]
"""Points of the skin, and the vectors they are moved by, millimetres."""
HINGE = np.array((0.0, -10.0, 92.0))
"""The axis through both jaw joints, in front of the ear canals."""


class Face:
    """A neutral head and the tools that move it; every answer is a displacement [V, 3] of the whole head."""

    def __init__(self, anatomy: Anatomy) -> None:
        """Prepares the sculpture of the skin and the places where the brows sit on it."""
        self.anatomy = anatomy
        self.rest = anatomy.mesh.vertices
        skin = anatomy.skin
        self.skin = self.rest[: len(skin.mesh.vertices)]
        self.sculpture = Sculpture(skin.mesh)
        self.lip_handles = skin.lips[:RINGS].ravel()
        self.lip_rest = self.skin[skin.lips[:RINGS]]
        self.still_for_mouth = self._still_for_mouth()
        self.still_for_brows = self._still_for_brows()
        self.jaw_share = self._jaw_share()

    def _still_for_mouth(self) -> np.ndarray:
        """Skin that no mouth shape moves: lids, skull, the sides behind the hinge, neck, the bag around the gums."""
        _, y, z = self.skin.T
        still = (z > 104 - 0.25 * (y + 90)) | (y > 0) | (z < -60)
        still[self.anatomy.skin.lids[:, eyelids.Ring.CREASE :]] = True
        still[self.anatomy.skin.lips[lips.Ring.VESTIBULE :]] = True
        return still

    def _still_for_brows(self) -> np.ndarray:
        """Skin that no brow shape moves: everything below the eyes, the lids, and the scalp."""
        _, y, z = self.skin.T
        still = (z < 100) | (z > 196) | (y > -12)
        still[self.anatomy.skin.lids[:, eyelids.Ring.FOLD :]] = True
        still[self.anatomy.skin.lips] = True
        return still

    def _jaw_share(self) -> np.ndarray:
        """How much of the jaw's turn each vertex of the head takes along, [V] from 0 to 1."""
        share = np.zeros(len(self.rest))
        x, y, z = self.skin.T
        bone = (z < 26) & (z > -6) & (y < -34 - 0.4 * np.abs(x))
        ring = self.anatomy.skin.lips
        bone[ring] = False
        lip_share = jaw_share_of_lips()
        handles = np.concatenate(
            [np.nonzero(bone)[0], ring[:RINGS].ravel(), ring[lips.Ring.VESTIBULE], ring[lips.Ring.CHEEK]]
        )
        values = np.concatenate(
            [np.ones(bone.sum()), lip_share[:RINGS].ravel(), lip_share[RINGS], lip_share[RINGS + 1]]
        )
        still = (z > 96 - 0.12 * (y + 90)) | (y > 2) | (z < -60)
        still[ring[lips.Ring.THROAT]] = True
        spread = self.sculpture.spread(handles, values[:, None], still)[:, 0]
        share[: len(self.skin)] = np.clip(spread, 0.0, 1.0)
        parts = self.anatomy.parts
        share[parts["lower teeth"]] = share[parts["lower gum"]] = 1.0
        share[parts["tongue"]] = np.interp(-self.rest[parts["tongue"], 1], (18.0, 60.0), (0.25, 0.95))
        return share

    def turned(self, degrees: float, slide: float = 0.0) -> np.ndarray:
        """Displacement when the jaw opens by `degrees` while its joint slides forward by `slide` millimetres."""
        angle = np.radians(degrees) * self.jaw_share
        arm = self.rest - HINGE
        y = arm[:, 1] * np.cos(angle) - arm[:, 2] * np.sin(angle)
        z = arm[:, 1] * np.sin(angle) + arm[:, 2] * np.cos(angle)
        move = np.stack([np.zeros(len(arm)), y - arm[:, 1], z - arm[:, 2]], axis=1)
        move[:, 1] -= slide * self.jaw_share
        return move

    def posed_lips(self, places: np.ndarray, pulls: Pulls | None = None, tension: float = TAUT) -> np.ndarray:
        """The shape that brings the lips to `places` [7, 48, 3] and some points of the skin by `pulls` with them."""
        moves = (places - self.lip_rest).reshape(-1, 3)
        return self.pulled(self.lip_handles, moves, pulls or {}, self.still_for_mouth, tension)

    def pulled(
        self, handles: np.ndarray, moves: np.ndarray, pulls: Pulls, still: np.ndarray, tension: float = TAUT
    ) -> np.ndarray:
        """The shape of moved handles plus some pulled points; a point stands for the skin vertex next to it."""
        near = [int(((self.skin - np.array(point)) ** 2).sum(axis=1).argmin()) for point in pulls]
        keep = [i for i, vertex in enumerate(near) if vertex not in set(handles.tolist())]
        handles = np.concatenate([handles, np.array(near, dtype=int)[keep]])
        moves = np.concatenate([moves.reshape(-1, 3), np.array(list(pulls.values())).reshape(-1, 3)[keep]])
        shape = np.zeros_like(self.rest)
        shape[: len(self.skin)] = self.sculpture.spread(handles, moves, still, tension)
        return shape

    def mirrored(self, shape: np.ndarray) -> np.ndarray:
        """The same shape on the other side of the face."""
        return shape[self.anatomy.mirror] * (-1.0, 1.0, 1.0)

    def balanced(self, shape: np.ndarray) -> np.ndarray:
        """A two-sided shape made exactly symmetric."""
        return (shape + self.mirrored(shape)) / 2


def jaw_share_of_lips() -> np.ndarray:
    """The jaw's share per lip ring and spoke, [9, 48]: 1 below the middle, near 0 above it, between at the corners."""
    drop = (1.0 - np.cos(lips.angles())) / 2.0
    along = np.where(drop < 0.5, 0.40 * (drop / 0.5) ** 1.3, 1.0 - 0.60 * ((1.0 - drop) / 0.5) ** 1.3)
    return np.repeat(along[None], 9, axis=0)
