# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that run beside Blender one after the other, in a thread, until they are done or cancelled. No bpy."""

from __future__ import annotations

import atexit
import collections
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from .child import Child
from .errors import Cancelled

LINES_KEPT = 60


class CommandFailed(Exception):
    """A command has ended with another exit code than 0."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(lines[-1] if lines else "")
        self.lines = lines
        """The last that it has printed."""


class Errand:
    """One thread at a time, and the command that it runs just now."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Callable[[], None]) -> None:
        """Have a thread do `work`, which calls `run`; it must raise nothing. Blender's end cancels it."""
        self._cancelled.clear()
        self._thread = threading.Thread(target=work, name="mouthpiece_errand", daemon=True)
        self._thread.start()
        atexit.register(self.cancel)

    def cancel(self) -> None:
        """Stop what runs, with everything it has started."""
        self._cancelled.set()
        if child := self._child:
            child.kill()

    def end(self) -> None:
        """Let go of a thread that is done."""
        self._child = self._thread = None
        atexit.unregister(self.cancel)

    def run(self, command: Sequence[str], scratch: Path, log: Path, hear: Callable[[str], None]) -> None:
        """Run a command to its end, in the thread.

        Its lines go to the end of the file `log` and to `hear`, its temporary files into `scratch`. Raises `Cancelled`,
        `CommandFailed`, or `OSError` where it cannot be started.
        """
        last: collections.deque[str] = collections.deque(maxlen=LINES_KEPT)
        with log.open("a", encoding="utf-8") as record:
            self._child = Child(command, scratch)
            if self._cancelled.is_set():  # while it was being started
                self._child.kill()
            for line in self._child.lines():
                record.write(f"{line}\n")
                record.flush()
                last.append(line)
                hear(line)
            code = self._child.wait()
        if self._cancelled.is_set():
            raise Cancelled("Cancelled; nothing has changed.")
        if code:
            raise CommandFailed(last)
