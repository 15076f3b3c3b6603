# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys on their way into the file: everything is built in actions aside and put in place in one step.

Until `Writing.commit` nothing that plays has changed; between two calls the artist may undo or delete anything, so
datablocks are looked up again each time.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import bpy
from bpy.types import ID

from ..errors import BadInput, MouthpieceError
from . import stack, takes
from .block import Block
from .ledger import Record
from .options import WritingOptions
from .owner import Owner
from .strand import Strand
from .take import Take


@dataclass(frozen=True)
class Placed:
    """Where keys have been written."""

    takes: tuple[tuple[str, ...], ...]
    """The names of the actions of each take, one for each datablock; the first take plays."""
    moved: tuple[str, ...]
    """The artist's actions that made room for them, and now play from an NLA track."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions that play."""
        return self.takes[0]


def check_name(name: str, block: ID, strip: str, character: str) -> None:
    """Raises `BadInput` where a new action cannot have the wanted name because another action has it."""
    there = bpy.data.actions.get(name) if name else None
    if there is not None and all(there != place.action for place in stack.lines_of(block, strip, character)):
        raise BadInput(f"There is another action named “{name}” already. Choose another name.")


class Writing:
    """Keys of one lip sync: build them with `advance`, put them in place with `commit`, or `discard` them."""

    def __init__(self, made: Sequence[Take], options: WritingOptions, name: str = "") -> None:
        """`made`: one performance or several, the first of which is to play; `name`: of the first action, where new.

        Raises `BadInput` where an action of the artist's cannot take the keys.
        """
        options.check()
        options.check_takes(len(made))
        self.options, self._name = options, name
        highest = max((_highest(owner, made[0].record) for owner in made[0].owners), default=0) if options.beside else 0
        self._takes = [take.numbered(highest + take.record.take) for take in made]
        self.fraction = 0.0
        """How much of it is built, 0 to 1."""
        self._begin()

    @property
    def strands(self) -> tuple[Strand, ...]:
        """The curves of the take that is to play."""
        return self._takes[0].strands

    @property
    def record(self) -> Record:
        """What is remembered of the take that is to play."""
        return self._takes[0].record

    @property
    def records(self) -> tuple[Record, ...]:
        """What is remembered of each take."""
        return tuple(take.record for take in self._takes)

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
        written = [block.commit(one) for block, one in zip(self._blocks, there, strict=True)]
        names = tuple(zip(*(one.actions for one in written if one.actions), strict=True))
        return Placed(names, tuple(name for one in written for name in one.moved))

    def discard(self) -> None:
        """Forget what was built."""
        for block in self._blocks:
            block.discard()

    def _begin(self) -> None:
        moved = [owner for take in self._takes for owner in take.owners]
        earlier = [Owner.of(block) for block in takes.blocks(self.record.strip, self.record.character)]
        owners = dict.fromkeys((*moved, *earlier))
        self._blocks = [Block(owner, self._takes, self.options, self._name_of(owner)) for owner in owners]
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


def _highest(owner: Owner, record: Record) -> int:
    block = owner.find()
    return takes.highest(block, record) if block else 0


def default_name(record: Record) -> str:
    """What a new action is called."""
    return f"Mouthpiece {record.strip} {record.character}"
