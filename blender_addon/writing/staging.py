# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys on their way into the file: everything is built in actions aside and put in place in one step.

Until `Writing.commit` nothing that plays has changed; between two calls the artist may undo or delete anything, so
datablocks are looked up again each time.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
from bpy.types import ID

from ..errors import BadInput, MouthpieceError
from . import stack
from .block import Block
from .ledger import Record
from .options import WritingOptions
from .owner import Owner
from .strand import Strand

if TYPE_CHECKING:
    from ..rig.targets import Curve


@dataclass(frozen=True)
class Placed:
    """Where keys have been written."""

    actions: tuple[str, ...]
    """The actions' names."""
    moved: tuple[str, ...]
    """The artist's actions that made room for them, and now play from an NLA track."""


def check_name(name: str, block: ID, strip: str, character: str) -> None:
    """Raises `BadInput` where a new action cannot have the wanted name because another action has it."""
    there = bpy.data.actions.get(name) if name else None
    if there is not None and all(there != place.action for place in stack.lines_of(block, strip, character)):
        raise BadInput(f"There is another action named “{name}” already. Choose another name.")


class Writing:
    """Keys of one lip sync: build them with `advance`, put them in place with `commit`, or `discard` them."""

    def __init__(self, record: Record, curves: Iterable[Curve], options: WritingOptions, name: str = "") -> None:
        """`curves` give the values of each frame of the record; `name`: the first action's name where it is new.

        Raises `BadInput` where an action of the artist's cannot take the keys.
        """
        options.check()
        self.strands = tuple(Strand.of(curve) for curve in curves)
        titles = dict.fromkeys(strand.title for strand in self.strands)
        self.record = replace(record, shape_keys=tuple(titles))
        self.options, self._name = options, name
        self.fraction = 0.0
        """How much of it is built, 0 to 1."""
        self._begin()

    def advance(self, seconds: float = float("inf")) -> bool:
        """Build for about that long; whether all is built."""
        if not all(block.is_whole for block in self._blocks):  # an undo took something away
            self.discard()
            self._begin()
            return False
        deadline = time.perf_counter() + seconds
        return all(time.perf_counter() <= deadline for _ in self._work)

    def commit(self) -> Placed:
        """Put the finished actions in place."""
        if self.fraction < 1 or not all(block.is_whole for block in self._blocks):
            raise MouthpieceError("The keys are not complete; generate again.")
        there = [block.find() for block in self._blocks]  # all of them, or nothing changes
        placed = [block.commit(one) for block, one in zip(self._blocks, there, strict=True)]
        return Placed(tuple(name for name, _ in placed), tuple(name for _, moved in placed for name in moved))

    def discard(self) -> None:
        """Forget what was built."""
        for block in self._blocks:
            block.discard()

    def _begin(self) -> None:
        self._blocks: list[Block] = []
        for owner in dict.fromkeys(strand.owner for strand in self.strands):
            strands = [strand for strand in self.strands if strand.owner == owner]
            self._blocks.append(Block(owner, self.record, strands, self.options, self._name_of(owner)))
        self.fraction, self._work = 0.0, self._build()

    def _name_of(self, owner: Owner) -> str:
        """The first action takes the name as it is, others that of their datablock behind it."""
        name = self._name or default_name(self.record)
        block = owner.find()
        return name if block is None or owner == self.strands[0].owner else f"{name} {block.name}"

    def _build(self) -> Generator[None, None, None]:
        total = sum(block.steps for block in self._blocks)
        for block in self._blocks:
            for _ in block.build():
                self.fraction = sum(block.done for block in self._blocks) / total
                yield
        self.fraction = 1.0


def default_name(record: Record) -> str:
    """What a new action is called."""
    return f"Mouthpiece {record.strip} {record.character}"
