# SPDX-License-Identifier: GPL-3.0-or-later
"""One backend process and its two pipes: start, send, poll, close. No bpy."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import BinaryIO, TypeAlias, cast

from ..backend import protocol
from . import environment
from .environment import Launch
from .errors import MouthpieceError

CLOSE_SECONDS = 2.0
"""How long a backend may take to leave by itself after its input has ended."""

LOG_TAIL_BYTES = 8192
ORDINARY = " INFO "
"""Marks the lines of the backend's log that tell of nothing wrong."""

Outgoing: TypeAlias = protocol.Request | Callable[[], protocol.Request]


@dataclass(frozen=True)
class Unsent:
    """A request could not be built; `reason` is a sentence for the artist."""

    reason: str


@dataclass(frozen=True)
class Ended:
    """The backend's output is over: it left, died, or sent something that is no message."""

    reason: str


Event: TypeAlias = protocol.Reply | Unsent | Ended


class BackendProcess:
    """A running backend. Its methods never wait, but for `close`; the last event is always `Ended`."""

    def __init__(self, launch: Launch) -> None:
        """Start it; raises `MouthpieceError` where the program cannot be started."""
        self.launch = launch
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._outgoing: SimpleQueue[Outgoing | None] = SimpleQueue()
        try:
            launch.log.parent.mkdir(parents=True, exist_ok=True)
            with launch.log.open("wb") as log:
                self._child = subprocess.Popen(
                    launch.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=environment.without_python(),
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as problem:
            raise MouthpieceError(f"The backend could not be started: {problem}.") from problem
        for work in (self._read_all, self._write_all):
            threading.Thread(target=work, name=f"mouthpiece{work.__name__}", daemon=True).start()
        atexit.register(self.close)

    @property
    def exit_code(self) -> int | None:
        """The code it left with (negative: the signal that killed it), None while it runs."""
        return self._child.poll()

    def send(self, message: Outgoing) -> None:
        """Queue a request. A callable is called in the sending thread, so that a large sound is read there."""
        self._outgoing.put(message)

    def poll(self) -> list[Event]:
        """What has arrived since the last call, in order."""
        events: list[Event] = []
        with contextlib.suppress(Empty):
            while True:
                events.append(self._events.get_nowait())
        return events

    def kill(self) -> None:
        """End it now, without waiting for it."""
        self._outgoing.put(None)
        self._child.kill()
        atexit.unregister(self.close)

    def close(self) -> None:
        """Let it leave by itself, and end it where it does not within two seconds."""
        self._outgoing.put(None)
        try:
            self._child.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        atexit.unregister(self.close)

    def last_log_lines(self, count: int = 5) -> list[str]:
        """The end of what the backend printed, without what went as it should."""
        with contextlib.suppress(OSError), self.launch.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
            return [line for line in lines if line.strip() and ORDINARY not in line][-count:]
        return []

    def _read_all(self) -> None:
        output = cast(BinaryIO, self._child.stdout)
        reason = "its output ended"
        try:
            with output:
                while (message := protocol.read(output)) is not None:
                    self._events.put(_checked(message))
        except Exception as problem:  # noqa: BLE001 (the top of the thread: without `Ended` the job would wait for ever)
            reason = str(problem) or type(problem).__name__
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(CLOSE_SECONDS)  # its output ends a moment before it does, and then tells why
        self._events.put(Ended(reason))

    def _write_all(self) -> None:
        _keep_broken_pipes_harmless()
        stream = cast(BinaryIO, self._child.stdin)
        with contextlib.suppress(OSError), stream:  # a dead backend shows in what is read
            while (item := self._outgoing.get()) is not None:
                request = self._built(item)
                if request is not None:
                    self._send_now(stream, request)

    def _built(self, item: Outgoing) -> protocol.Request | None:
        try:
            return item() if callable(item) else item
        except MouthpieceError as problem:
            self._events.put(Unsent(str(problem)))
        except Exception as problem:  # noqa: BLE001 (of the thread too: the job would wait for ever)
            reason = str(problem) or type(problem).__name__
            self._events.put(Unsent(f"The sound could not be sent to the backend: {reason}."))
        return None

    def _send_now(self, stream: BinaryIO, request: protocol.Request) -> None:
        try:
            protocol.write(stream, request)
        except protocol.ProtocolError as problem:
            self._events.put(Unsent(str(problem)))


def _keep_broken_pipes_harmless() -> None:
    """Blender leaves SIGPIPE deadly: without this, writing to a backend that has just died would end Blender too.

    Blocked in the writing thread alone, the write fails with an OSError instead, and Blender's own setting stays.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})


def _checked(message: protocol.Message) -> protocol.Reply:
    if isinstance(message, protocol.Request):
        raise protocol.ProtocolError(f"a backend does not send {type(message).__name__}")
    return message
