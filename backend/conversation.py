# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's side of the pipe: which jobs it waits for, and what may still be said about them."""

from __future__ import annotations

import collections
import threading
import time
from typing import BinaryIO

from . import protocol

PROGRESS_PER_SECOND = 10


class ClientGone(Exception):
    """Nobody reads the replies any more."""


class Conversation:
    """Sends replies from any thread; every accepted job gets exactly one end, and nothing after it.

    All methods that send raise `ClientGone` where nobody listens.
    """

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._lock = threading.Lock()
        self._accepted: set[int] = set()
        self._waiting: set[int] = set()
        self._progress_times: collections.deque[float] = collections.deque(maxlen=PROGRESS_PER_SECOND)
        self._early: list[protocol.Reply] | None = []
        """What must wait for the introduction; None once that was said."""
        self._over = False

    def introduce(self, ready: protocol.Ready) -> None:
        """Send the first message, and then what came up before it."""
        with self._lock:
            early, self._early = self._early or [], None
            for message in (ready, *early):
                self._send(message)

    def tell(self, status: protocol.Status) -> None:
        """Answer what belongs to no job."""
        with self._lock:
            self._send(status)

    def fault(self, failed: protocol.Failed) -> None:
        """Say that the backend cannot go on; this may come even before the introduction, and nothing comes after it."""
        with self._lock:
            self._early = None
            self._send(failed)
            self._over = True

    def accept(self, job: int) -> bool:
        """Take on a job; False where its number was used before: then that request fails alone.

        While the earlier job of that number is waited for, nothing is said: its own end answers for the number. Raises
        `ProtocolError` for a number below 1, which no answer could carry.
        """
        if job < 1:
            raise protocol.ProtocolError(f"The job number {job} is not above 0.")
        with self._lock:
            if job in self._accepted:
                if job not in self._waiting:
                    self._send(protocol.Failed(job, f"Job number {job} was refused: each number is used once."))
                return False
            others = bool(self._waiting)
            self._accepted.add(job)
            self._waiting.add(job)
            if others:
                self._report(job, "queued", 0.0)
            return True

    def waits_for(self, job: int) -> bool:
        """Whether the job was accepted and has had no end."""
        return job in self._waiting

    def progress(self, job: int, stage: str, fraction: float) -> None:
        """Say how far a job is, unless that was said ten times within the last second."""
        with self._lock:
            if job in self._waiting:
                self._report(job, stage, fraction)

    def answer(self, part: protocol.Neutral | protocol.Phones | protocol.Frames) -> None:
        """Send a part of the answer to a job that is still waited for."""
        with self._lock:
            if part.job in self._waiting:
                self._send(part)

    def end(self, message: protocol.Finished | protocol.Failed | protocol.Cancelled) -> None:
        """Send a job's end, if it has had none."""
        with self._lock:
            if message.job in self._waiting:
                self._send(message)
                self._waiting.remove(message.job)

    def _report(self, job: int, stage: str, fraction: float) -> None:
        now, times = time.monotonic(), self._progress_times
        if len(times) < PROGRESS_PER_SECOND or now - times[0] > 1.0:
            times.append(now)
            self._send(protocol.Progress(job, stage, fraction))

    def _send(self, message: protocol.Reply) -> None:
        if self._over:
            return
        if self._early is not None:
            self._early.append(message)
            return
        try:
            protocol.write(self._replies, message)
        except OSError as error:
            raise ClientGone from error
