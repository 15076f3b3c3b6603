# SPDX-License-Identifier: GPL-3.0-or-later
"""The one running backend and the one job in it. No bpy.

Nothing here waits: `Session.pump` is called again and again, by a timer of Blender's interface or by a plain loop, and
moves the state on.
"""

from __future__ import annotations

import enum
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from ..backend import protocol
from . import sentences
from .environment import Launch
from .errors import BadInput, MouthpieceError
from .motion import Motion, join
from .process import BackendProcess, Ended, Event, Unsent

START_SECONDS = 180.0
"""How long a backend may take to its first message; loading torch from a cold disk takes most of a minute."""
CANCEL_SECONDS = 0.8
"""How long a backend may take to answer a cancel before it is ended."""
Request: TypeAlias = Callable[[int, tuple[protocol.ModelInfo, ...]], protocol.Generate]
"""Builds a job's request from its number and from what the backend has told about its models."""


class State(enum.Enum):
    """Where the session stands."""

    IDLE = "no backend runs"
    STARTING = "the backend starts"
    READY = "the backend waits for a job"
    RUNNING = "a job runs"
    CANCELLING = "the job is being cancelled"
    ERROR = "the last job or start failed"


class Session:
    """State, backend and job; the panel reads its attributes."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.stage = ""
        """What the running job does just now."""
        self.fraction = 0.0
        """How much of it is done, 0 to 1."""
        self.message = ""
        """One sentence about the last end, good or bad."""
        self.failure: MouthpieceError | None = None
        self.log_lines: list[str] = []
        """The end of the log of a backend that died."""
        self.ready: protocol.Ready | None = None
        """What the running backend has told about itself."""
        self.models: tuple[protocol.ModelInfo, ...] = ()
        """Those that a backend has told of last, even where none runs any more."""
        self.status: protocol.Status | None = None
        """How things stand in the running backend, as of its last job's end."""
        self.has_rested = False
        """Whether the last backend was ended because it had nothing to do."""
        self.takes: tuple[Motion, ...] = ()
        """The finished motion of the running job, once it is there: one or more performances of the same sound."""
        self.log_file: Path | None = None
        """Where the newest backend prints to."""
        self._backend: BackendProcess | None = None
        self._deadline = float("inf")
        self._idle_since = 0.0
        self._job = 0
        self._has_job = False
        self._sent = False
        self._request: Request | None = None
        self._neutral: protocol.Neutral | None = None
        self._phones: list[protocol.Phones] = []
        self._chunks: list[protocol.Frames] = []

    @property
    def busy(self) -> bool:
        """Whether something is going on; `pump` has to be called until it is not."""
        return self.state in (State.STARTING, State.RUNNING, State.CANCELLING)

    @property
    def has_backend(self) -> bool:
        """Whether a backend runs."""
        return self._backend is not None

    @property
    def _at_rest(self) -> State:
        return State.READY if self.ready else State.IDLE

    def start(self, launch: Launch) -> None:
        """Have a backend of this command running; raises `MouthpieceError` where it cannot be started."""
        if self.busy:
            raise sentences.at_work()
        self.message, self.failure, self.log_lines = "", None, []
        if self._backend and (self._backend.launch.command != launch.command or self._backend.exit_code is not None):
            self._drop_backend()
        if self._backend:
            self.state = State.READY
            return
        try:
            self._backend = BackendProcess(launch)
        except MouthpieceError as problem:
            self.fail(problem)
            raise
        self.log_file, self.has_rested = launch.log, False
        self.state, self.stage, self.fraction = State.STARTING, "starting", 0.0
        self._deadline = time.monotonic() + START_SECONDS

    def begin(self, launch: Launch) -> None:
        """Begin a job, whose request follows with `submit`; raises `MouthpieceError` as `start` does."""
        self.start(launch)
        self._job += 1
        self._has_job, self._sent, self._request, self.takes = True, False, None, ()
        self._neutral, self._phones, self._chunks = None, [], []
        if self.state is State.READY:
            self.state, self.stage, self.fraction = State.RUNNING, "queued", 0.0

    def resume(self, takes: tuple[Motion, ...]) -> None:
        """Begin a job whose motion is there already; raises `BadInput` while another one runs."""
        if self.busy:
            raise sentences.at_work()
        self.message, self.failure, self.log_lines = "", None, []
        self.state, self.stage, self.fraction = State.RUNNING, "writing", 0.0
        self._has_job, self.takes = True, takes

    def submit(self, request: Request) -> None:
        """Give the begun job's request, which is built in another thread; it may read large files."""
        self._request = request
        self._send_request()

    def cancel(self) -> None:
        """Stop what is going on, within a second; a finished motion that is not yet written is dropped."""
        if self.state is State.RUNNING and self._sent and not self.takes and self._backend:
            self._backend.send(protocol.Cancel(self._job))
            self.state, self._deadline = State.CANCELLING, time.monotonic() + CANCEL_SECONDS
        elif self.state is State.RUNNING:
            self._end(self._at_rest, "Cancelled.")
        elif self.state is State.STARTING:
            self._drop_backend()
            self._end(State.IDLE, "Cancelled.")

    def pump(self) -> None:
        """Take in what the backend has sent, and look at the clock."""
        if backend := self._backend:
            for event in backend.poll():
                if self._backend is backend:  # what a dropped backend still says does not count
                    self._take(event, backend)
        if self.busy and time.monotonic() > self._deadline:
            self._run_late()

    def finish(self, message: str) -> None:
        """The driver has written the motion."""
        self._end(self._at_rest, message)

    def fail(self, problem: MouthpieceError, log_lines: Sequence[str] = ()) -> None:
        """The job or start has failed; the lines are the end of a dead backend's log."""
        self.failure, self.log_lines = problem, list(log_lines)
        self._end(State.ERROR, str(problem))

    def look(self) -> None:
        """Ask the backend how things stand."""
        if self._backend and self.ready:
            self._backend.send(protocol.Look())

    def unload(self) -> None:
        """Have the backend give its models' memory back; the next job loads its own again."""
        if self._backend and self.ready and not self.busy:
            self._backend.send(protocol.Unload())
            self.look()

    def rest(self, seconds: float) -> None:
        """End a backend that has had nothing to do for so long; the next job starts another."""
        if self._backend and not self.busy and time.monotonic() - self._idle_since >= seconds:
            self._drop_backend()
            self.has_rested = True
            self.state = State.IDLE if self.state is State.READY else self.state

    def forget(self) -> None:
        """Stop what is going on, and no longer speak of what was."""
        self.cancel()
        if not self.busy:
            self.state = self._at_rest
        self.message, self.failure, self.log_lines = "", None, []

    def close(self) -> None:
        """End the backend, giving it two seconds to leave."""
        if self._backend:
            self._backend.close()
        self._backend, self.ready, self.status = None, None, None
        self._end(State.IDLE, "")

    def _take(self, event: Event, backend: BackendProcess) -> None:
        match event:
            case protocol.Ready():
                self._greet(event)
            case protocol.Status():
                self.status, self.models = event, event.models
            case Unsent():
                self._take_failure(BadInput(event.reason))
            case Ended():
                self._take_end(event, backend)
            case protocol.Failed(job=0) if self.state is State.STARTING:  # its Python lacks something
                self._drop_backend()
                self.fail(BadInput(event.reason))
            case protocol.Failed(job=0):
                self._drop_backend()
                self._take_failure(sentences.failure(event))
            case _ if self._has_job and event.job == self._job:
                self._take_answer(event)

    def _take_answer(self, event: protocol.Reply) -> None:
        """An answer about the running job."""
        match event:
            case protocol.Progress() if self.state is State.RUNNING:
                self.stage, self.fraction = event.stage, event.fraction
            case protocol.Neutral():
                self._neutral = event
            case protocol.Phones():
                self._phones.append(event)
            case protocol.Frames():
                self._chunks.append(event)
            case protocol.Cancelled():
                self._end(State.READY, "Cancelled.")
            case protocol.Failed():
                self._take_failure(sentences.failure(event))
            case protocol.Finished():
                self._take_motion(event)

    def _greet(self, ready: protocol.Ready) -> None:
        if ready.protocol != protocol.VERSION:
            self._drop_backend()
            self.fail(sentences.stranger(ready))
            return
        self.ready, self.models, self._deadline = ready, ready.models, float("inf")
        if self._has_job:
            self.state, self.stage = State.RUNNING, "queued"
            self._send_request()
        else:
            self._end(State.READY, sentences.described(ready))

    def _send_request(self) -> None:
        if self._request and self._backend and self.ready and self.state is State.RUNNING:
            self._backend.send(functools.partial(self._request, self._job, self.models))
            self._request, self._sent = None, True

    def _take_motion(self, finished: protocol.Finished) -> None:
        if self.state is State.CANCELLING:
            self._end(State.READY, "Cancelled.")
            return
        try:
            self.takes = join(self._chunks, finished, self._neutral, self._phones)
        except MouthpieceError as problem:
            self.fail(problem)

    def _take_failure(self, problem: MouthpieceError) -> None:
        if self.state is State.CANCELLING:
            self._end(State.READY, "Cancelled.")
        else:
            self.fail(problem)

    def _take_end(self, ended: Ended, backend: BackendProcess) -> None:
        """The backend is gone: one sentence, the end of its log, and the next start makes a new one."""
        code, lines = backend.exit_code, backend.last_log_lines()
        self._drop_backend()
        if self.state is State.CANCELLING:
            self._end(State.IDLE, "Cancelled.")
        elif self.busy and not self.takes:  # with its motion there, a job needs no backend any more
            self.fail(sentences.obituary(ended, code, lines), lines)
        elif self.state is State.READY:
            self.state = State.IDLE

    def _run_late(self) -> None:
        starting = self.state is State.STARTING
        lines = self._backend.last_log_lines() if self._backend else []
        self._drop_backend()
        if starting:
            self.fail(sentences.silent(START_SECONDS), lines)
        else:
            self._end(State.IDLE, "Cancelled.")

    def _drop_backend(self) -> None:
        if self._backend:
            self._backend.kill()
        self._backend, self.ready, self.status = None, None, None

    def _end(self, state: State, message: str) -> None:
        self.state, self.message, self.stage, self.fraction = state, message, "", 0.0
        self._has_job, self._sent, self._request, self.takes = False, False, None, ()
        self._neutral, self._phones, self._chunks = None, [], []
        self._deadline, self._idle_since = float("inf"), time.monotonic()
        self.look()


current = Session()
"""The session of this Blender."""
