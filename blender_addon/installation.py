# SPDX-License-Identifier: GPL-3.0-or-later
"""The one installation of the backend's environment: begin, step, cancel, remove. No bpy.

The commands run in a thread and write into `FOLDER.partial`. Only a finished environment takes the place of the old
one, in two renames; whatever fails before leaves the old one as it was. A finished one that did not work yet, or could
not take it, stays, and the next installation begins with it.
"""

from __future__ import annotations

import contextlib
import enum
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from . import folders, installer
from .errand import CommandFailed, Errand
from .errors import Cancelled, MouthpieceError
from .installer import Order, Step
from .lock import Lock

EXCHANGE_TRIES = 150
"""How often the renames are tried, a tick of the page apart: virus scanners let go of new files within seconds."""
OTHER_BLENDER = "Another Blender is installing the backend just now. Wait until it is done."

NOT_EXCHANGED = (
    "The new environment could not take the place of the old one: {}. Close what uses the old one, such as another "
    "Blender, and click again; nothing is downloaded twice."
)


class State(enum.Enum):
    """Where the installation stands."""

    IDLE = "nothing goes on"
    BUILDING = "commands run"
    BUILT = "the new environment waits to take the place of the old one"
    REMOVING = "the environment is being deleted"


class Installation:
    """What goes on and what came of it; the preferences page reads its attributes."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.stage = ""
        """What is done just now."""
        self.fraction = 0.0
        """How many of the steps are done, 0 to 1."""
        self.line = ""
        """What the running command has printed last."""
        self.failure: MouthpieceError | None = None
        """Why the last one failed."""
        self.log: Path | None = None
        """Everything that the commands have printed."""
        self._errand = Errand()
        self._problem: MouthpieceError | None = None
        self._order: Order | None = None
        self._tries_left = 0
        self._lock = Lock()

    @property
    def busy(self) -> bool:
        """Whether something goes on; `step` has to be called until it does not."""
        return self.state is not State.IDLE

    def begin(self, order: Order, log: Path) -> None:
        """Build the environment of an order that `installer.check` has let through.

        Raises `BadInput` while another Blender builds one: it would be in the same folder.
        """
        self._lock.acquire(log.with_name("install.lock"), OTHER_BLENDER)
        self.log, self._order, self._tries_left = log, order, EXCHANGE_TRIES
        self._start(State.BUILDING, self._build)

    def remove(self, folder: Path) -> None:
        """Delete an environment; at once it is no longer found, its files go while time passes."""
        folders.delete(_old(folder))
        with contextlib.suppress(FileNotFoundError):
            folder.rename(_old(folder))
        self._start(State.REMOVING, lambda: folders.delete(_old(folder)))

    def cancel(self) -> None:
        """Stop what is being built, with everything it has started."""
        self._errand.cancel()

    def step(self) -> bool:
        """Look after the thread; True when a new environment waits for `exchange` or nothing goes on any more."""
        if self._errand.is_running:
            return False
        if self.state is State.BUILDING and self._problem is None:
            self.state, self.stage = State.BUILT, "Putting it in place"
        elif self.busy and self.state is not State.BUILT:
            self.fail(self._problem)
        return True

    def exchange(self) -> bool:
        """Try to let the new environment take the old one's place; no backend may run in the old one.

        True once it has. Where something else still uses the files it is to be called again, as long as `state` says
        that the new one waits.
        """
        assert self._order
        try:
            _exchange(self._order.folder)
        except OSError as problem:
            self._tries_left -= 1
            if not isinstance(problem, PermissionError) or not self._tries_left:
                self.fail(MouthpieceError(NOT_EXCHANGED.format(problem)))
            return False
        self.fail(None)
        return True

    def fail(self, problem: MouthpieceError | None) -> None:
        """The end, good (None) or bad."""
        self.state, self.stage, self.line, self.fraction = State.IDLE, "", "", 0.0
        self.failure = problem
        self._errand.end()
        self._lock.release()

    def _start(self, state: State, work: Callable[[], None]) -> None:
        self.state, self.stage, self.line, self.fraction = state, "Preparing", "", 0.0
        self.failure = self._problem = None
        self._errand.start(lambda: self._run(work))

    def _run(self, work: Callable[[], None]) -> None:
        """The thread: nothing here touches more than this object's attributes and files."""
        try:
            work()
        except MouthpieceError as problem:
            self._problem = problem
        except OSError as problem:
            self._problem = installer.explain(Step(self.stage, ()), [str(problem)], None)
        if self._problem:
            self._lock.release()  # at once: nobody calls `step` while the add-on is disabled

    def _build(self) -> None:
        assert self._order
        order, partial = self._order, _partial(self._order.folder)
        folders.delete(_old(order.folder))
        is_left_over = installer.is_made(partial, order)
        if not is_left_over:
            self._make(partial)
        try:
            with _scratch(partial) as scratch:
                self._carry_out(installer.trial(partial), scratch)
        except (MouthpieceError, OSError) as problem:
            if is_left_over or isinstance(problem, Cancelled):  # what fails twice is to be fetched anew
                _clear_away(partial)
            raise

    def _make(self, partial: Path) -> None:
        """Fetch a whole environment, or leave nothing."""
        assert self._order
        folders.delete(partial)
        try:
            with _scratch(partial) as scratch:
                steps = installer.plan(installer.find_python(installer.candidates()), partial, self._order)
                for number, step in enumerate(steps):
                    self.fraction = number / (len(steps) + 1)
                    self._carry_out(step, scratch)
            installer.stamp(partial, self._order)
        except BaseException:
            _clear_away(partial)
            raise

    def _carry_out(self, step: Step, scratch: Path) -> None:
        """Run one command to its end; raises `Cancelled`, or `MouthpieceError` where it fails."""
        assert self._order and self.log
        self.stage = step.title
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {subprocess.list2cmdline(step.command)}\n")
        try:
            self._errand.run(step.command, scratch, self.log, self._hear)
        except CommandFailed as failure:
            raise installer.explain(step, failure.lines, self._order.wheels) from failure

    def _hear(self, line: str) -> None:
        self.line = line or self.line


@contextlib.contextmanager
def _scratch(partial: Path) -> Iterator[Path]:
    """A folder for temporary files on the same disk as the environment, and gone with it."""
    scratch = partial / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    yield scratch
    folders.delete(scratch)


def _partial(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")


def _old(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.old")


def _exchange(folder: Path) -> None:
    """`folder` becomes `folder.old`, `folder.partial` becomes `folder`; where the second fails the first is undone."""
    old = _old(folder)
    if folder.exists():
        folder.rename(old)
    try:
        _partial(folder).rename(folder)
    except OSError:
        if old.exists():
            with contextlib.suppress(OSError):  # then there is none for a moment, until the next try
                old.rename(folder)
        raise
    threading.Thread(target=_clear_away, args=(old,), name="mouthpiece_clear", daemon=True).start()


def _clear_away(folder: Path) -> None:
    with contextlib.suppress(OSError):  # something still uses it: the next installation deletes it
        folders.delete(folder)


current = Installation()
"""The installation of this Blender."""
