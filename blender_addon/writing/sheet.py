# SPDX-License-Identifier: GPL-3.0-or-later
"""An action being rewritten aside: a copy of one that is there, or a new one, until it takes its place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import bpy
from bpy.types import ID, Action, FCurve

from .. import compat
from ..errors import MouthpieceError
from . import keys, stack
from .below import constant, sampled
from .ledger import Ledger, Line, Trace, is_own, packed, unpacked

if TYPE_CHECKING:
    import numpy as np

BUILT = "mouthpiece_built"
"""How many changes have been made to a sheet: an undo in between takes some back, and is noticed by it."""


class Sheet:
    """Curves of one datablock in one action; nothing plays it before `swap`."""

    def __init__(self, block: ID, old: Action | None, slot: int, name: str = "") -> None:
        """`old`: the action whose place it will take; None: a new one, `name`.

        `slot`: the handle of the one that plays; 0 where none does, and it gets one of its own.
        """
        stage = old.copy() if old else bpy.data.actions.new(name)
        self.slot = slot or compat.new_slot(stage, block)
        self.ledger = Ledger.of(stage) if old else Ledger(True, ())
        self._old_uid = old.session_uid if old else None
        self._uid, self._built = stage.session_uid, 0
        stage[BUILT] = 0

    @property
    def is_whole(self) -> bool:
        """Whether it still is what was made of it; an undo may have changed that."""
        stage = find(self._uid)
        return stage is not None and stage.get(BUILT) == self._built

    @property
    def old(self) -> Action | None:
        """The action whose place it will take."""
        return find(self._old_uid)

    def keys(self, block: ID, target: tuple[str, int]) -> np.ndarray:
        """The keys on a property, given by path and index."""
        curve = self._curve(block, target)
        return keys.none() if curve is None else keys.read(curve)

    def sampled(self, block: ID, target: tuple[str, int], frames: np.ndarray, rest: float) -> np.ndarray:
        """The values on a property at some frames, float64; `rest` where it has no keys."""
        curve = self._curve(block, target)
        if curve is None or not len(curve.keyframe_points):
            return constant(frames, rest)
        return sampled(curve, frames)

    def withdraw(self, block: ID, trace: Trace) -> None:
        """Take an earlier lip sync's keys out of a curve, and give the artist's keys back that had made room."""
        curve = self._curve(block, trace.target)
        if curve is not None:
            there = keys.read(curve)
            stays = keys.outside(there, trace.first, trace.last)
            for frame in trace.anchors:
                stays &= keys.outside(there, frame, frame)
            keys.write(curve, keys.joined(there[stays], unpacked(trace.kept)))
        self._count()

    def splice(self, block: ID, target: tuple[str, int], new: np.ndarray, first: int, last: int) -> str:
        """Put keys in the place of those between two frames; gives the artist's keys that made room, `packed`."""
        path, index = target
        curves = self._curves(block)
        curve = curves.find(path, index=index) or curves.new(path, index=index)
        there = keys.read(curve)
        stays = keys.outside(there, first, last)
        keys.write(curve, keys.joined(there[stays], new))
        if not stays.any():
            curve.update()  # all of it is ours: let Blender shape the handles that it keeps automatic
        self._count()
        return packed(there[~stays])

    def prune(self, block: ID, targets: Iterable[tuple[str, int]]) -> None:
        """Remove the curves of these properties that have no keys left."""
        curves = self._curves(block)
        for path, index in targets:
            curve = curves.find(path, index=index)
            if curve is not None and not len(curve.keyframe_points):
                curves.remove(curve)

    @property
    def is_bare(self) -> bool:
        """Whether it is an action of our own in which nothing is left."""
        stage = find(self._uid)
        return self.ledger.own and not self.ledger.lines and not (stage and compat.has_curves(stage))

    def enter(self, line: Line | None, instead_of: Line | None) -> None:
        """Remember a new line, and forget the one whose place it takes."""
        lines = tuple(other for other in self.ledger.lines if other != instead_of)
        self.ledger = Ledger(self.ledger.own, (*lines, line) if line else lines)

    def swap(self, block: ID, name: str = "") -> Action:
        """Put it in the place of the old action, wherever that is used; without a `name` it takes the old one's.

        Where somebody else plays an old action of ours too, only this datablock plays another one from now on.
        """
        stage, old = find(self._uid), find(self._old_uid)
        if stage is None:
            raise MouthpieceError("The keys are not complete; generate again.")
        del stage[BUILT]
        self.ledger.store(stage)
        if old is not None and is_own(old) and stack.is_shared(old, self.slot, block):
            stack.exchange(block.animation_data, old, stage, self.slot)
        elif old is not None:
            name, stage.use_fake_user = name or old.name, old.use_fake_user
            old.user_remap(stage)
            bpy.data.actions.remove(old)
        if name:
            stage.name = name
        return stage

    def discard(self) -> None:
        """Forget what was built."""
        stage = find(self._uid)
        if stage is not None:
            bpy.data.actions.remove(stage)

    def _curve(self, block: ID, target: tuple[str, int]) -> FCurve | None:
        path, index = target
        return self._curves(block).find(path, index=index)

    def _curves(self, block: ID) -> bpy.types.bpy_prop_collection:
        stage = find(self._uid)
        if stage is None:
            raise MouthpieceError("The keys are not complete; generate again.")
        return compat.curves_for_writing(stage, block, self.slot)

    def _count(self) -> None:
        stage = find(self._uid)
        self._built += 1
        if stage is not None:
            stage[BUILT] = self._built


def find(uid: int | None) -> Action | None:
    """The action of that `session_uid`, or None where it has been removed."""
    return next((action for action in bpy.data.actions if action.session_uid == uid), None)
