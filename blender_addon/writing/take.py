# SPDX-License-Identifier: GPL-3.0-or-later
"""One performance of a lip sync on its way to keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .ledger import Record
from .owner import Owner
from .strand import Strand

if TYPE_CHECKING:
    from ..rig.targets import Curve


@dataclass(frozen=True, eq=False)
class Take:
    """What is remembered of one performance, and its curves."""

    record: Record
    strands: tuple[Strand, ...]

    @classmethod
    def of(cls, record: Record, curves: Iterable[Curve]) -> Take:
        """A take whose curves have a value for each frame of the record."""
        strands = tuple(Strand.of(curve) for curve in curves)
        titles = dict.fromkeys(strand.title for strand in strands)
        return cls(replace(record, shape_keys=tuple(titles)), strands)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """The datablocks that it moves."""
        return tuple(dict.fromkeys(strand.owner for strand in self.strands))

    def on(self, owner: Owner) -> Take:
        """Its part on one datablock."""
        return replace(self, strands=tuple(strand for strand in self.strands if strand.owner == owner))

    def numbered(self, number: int) -> Take:
        """The same as the take of that number."""
        return replace(self, record=replace(self.record, take=number))
