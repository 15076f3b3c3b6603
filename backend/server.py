# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend as a child process: requests come on standard input, replies leave on standard output.

The main thread works on one job after another; a second one reads, so that a cancel and the end of the input are
noticed at any moment. Whatever is printed, by us or by any library, goes to standard error, which is the log.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeAlias

from . import parent, protocol, requirements
from .conversation import ClientGone, Conversation

if TYPE_CHECKING:
    from .precision import Precision

Work: TypeAlias = protocol.Generate | protocol.Unload | protocol.Look

_log = logging.getLogger(__name__)


def serve(
    device: str,
    folders: Sequence[Path],
    flame: Path | None = None,
    dictionary: Path | None = None,
    precision: Precision = "auto",
) -> NoReturn:
    """Answer requests until the input or the parent process ends, which ends this one with code 0.

    `folders` hold models besides the shipped ones, `flame` is the artist's FLAME file, `dictionary` their pronunciation
    dictionary. Where the backend cannot work at all, the client is told why by a `Failed` of job 0 and the code is 1.
    """
    requests, replies = own_pipes()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    faulthandler.enable()
    parent.watch(lambda: _leave(0))
    conversation = Conversation(replies)
    work: queue.SimpleQueue[Work] = queue.SimpleQueue()
    threading.Thread(target=_read_all, args=(requests, conversation, work), name="requests", daemon=True).start()
    try:
        _work_all(device, folders, flame, dictionary, precision, conversation, work)
    except ClientGone:
        _leave(0)
    except Exception as error:  # noqa: BLE001 (the top of the process: the client is told, whatever it was)
        _tell_fault(conversation, error)
        _leave(1)


def own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone.

    From here on file descriptor 0 is empty and 1 is the log's, so that neither a library's print, a native write nor a
    child process can touch the protocol.
    """
    sys.stdout.flush()
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, replies


def _work_all(
    device: str,
    folders: Sequence[Path],
    flame: Path | None,
    dictionary: Path | None,
    precision: Precision,
    conversation: Conversation,
    work: queue.SimpleQueue[Work],
) -> NoReturn:
    requirements.require()
    from .worker import Worker  # takes seconds: torch

    worker = Worker(device, folders, flame, dictionary, conversation, precision)
    conversation.introduce(worker.introduction())
    while True:
        match work.get():
            case protocol.Generate() as request:
                worker.generate(request)
            case protocol.Unload():
                worker.unload()
            case protocol.Look():
                conversation.tell(worker.status())


def _read_all(requests: BinaryIO, conversation: Conversation, work: queue.SimpleQueue[Work]) -> NoReturn:
    """Sort what comes until it ends, or until something comes that is no request; either ends the process."""
    try:
        while (message := protocol.read(requests)) is not None:
            _take(message, conversation, work)
    except (ClientGone, OSError):
        _log.info("the client is gone")
    except Exception as error:  # noqa: BLE001 (the top of the thread: without it nobody would notice the end of input)
        _tell_fault(conversation, error)
        _leave(1)
    _leave(0)


def _take(message: protocol.Message, conversation: Conversation, work: queue.SimpleQueue[Work]) -> None:
    match message:
        case protocol.Generate():
            if conversation.accept(message.job):
                work.put(message)
        case protocol.Cancel():
            conversation.end(protocol.Cancelled(message.job))
        case protocol.Unload() | protocol.Look():
            work.put(message)
        case _:
            raise protocol.ProtocolError(f"A client does not send {type(message).__name__}.")


def _tell_fault(conversation: Conversation, error: Exception) -> None:
    """The log gets the traceback, the client one sentence."""
    _log.error("the backend cannot go on", exc_info=error)
    with contextlib.suppress(ClientGone):
        conversation.fault(protocol.Failed(0, str(error) or repr(error), "".join(traceback.format_exception(error))))


def _leave(code: int) -> NoReturn:
    """End the process at once, whatever the other thread is at."""
    logging.shutdown()
    os._exit(code)
