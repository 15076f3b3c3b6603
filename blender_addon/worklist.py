# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done one after the other, and what came of each. No bpy."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .choice import Choice
    from .environment import Launch
    from .placing import Report


class Fate(enum.Enum):
    """How an entry stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Entry:
    """One strip for one character."""

    choice: Choice
    launch: Launch
    fate: Fate = Fate.WAITING
    message: str = ""
    """What came of it, in one sentence."""
    report: Report | None = None


@dataclass
class Worklist:
    """Entries in the order in which they are done."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        """Whether anything is still to be begun."""
        return any(entry.fate is Fate.WAITING for entry in self.entries)

    @property
    def running(self) -> Entry | None:
        """What is done just now."""
        return next((entry for entry in self.entries if entry.fate is Fate.RUNNING), None)

    def add(self, entry: Entry) -> None:
        """Put something at the end; what has been done before is forgotten where nothing is left to do."""
        if not self.waiting and self.running is None:
            self.entries.clear()
        self.entries.append(entry)

    def begin_next(self) -> Entry | None:
        """Take up the first that waits."""
        entry = next((entry for entry in self.entries if entry.fate is Fate.WAITING), None)
        if entry:
            entry.fate = Fate.RUNNING
        return entry

    def end(self, fate: Fate, message: str, report: Report | None = None) -> None:
        """The running one has come to an end."""
        entry = self.running
        if entry:
            entry.fate, entry.message, entry.report = fate, message, report

    def cancel_waiting(self) -> None:
        """Begin nothing more."""
        for entry in self.entries:
            if entry.fate is Fate.WAITING:
                entry.fate, entry.message = Fate.CANCELLED, "Cancelled."
