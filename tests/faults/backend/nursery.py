# SPDX-License-Identifier: GPL-3.0-or-later
"""Real server processes by the hundred: ``python nursery.py MODELS COUNT SEED`` prints one JSON line about them.

Importing torch takes a second; a process that has done so once forks a new one for each conversation. Every child runs
`backend.server.serve` on pipes of its own, and ends as any server does. It is told frames that are requests, mutated
but readable, and last one that is not: whatever it was, one `Failed` of job 0 and exit code 1 have to follow.
"""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from backend import protocol, server, worker  # noqa: F401 (the worker's import is what takes long)
from tests.faults import mutations
from tests.faults.figures import is_sentence

SECONDS = 60
"""Longer than any of these conversations may take."""
ENDS = (protocol.Finished, protocol.Failed, protocol.Cancelled)


@dataclass
class Tally:
    """What the conversations came to."""

    frames: int = 0
    refused: int = 0
    processes: int = 0
    peak: int = 0
    """Bytes of memory of the greediest child."""
    complaints: list[str] = field(default_factory=list)


def main() -> None:
    models, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance, tally = random.Random(seed), Tally()
    while tally.frames < count:
        talk(models, list(script(chance)), tally)
    tally.peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    sys.stdout.write(json.dumps(vars(tally)) + "\n")


def script(chance: random.Random):
    """Frames up to and with the first one that is no request of a job."""
    number = 0
    while True:
        number += 1
        kind = chance.choice(mutations.REQUESTS)
        fields = {"job": number} if "job" in kind.__dataclass_fields__ and chance.random() < 0.8 else {}
        whole = mutations.frame(mutations.any_message(kind, chance, **fields))
        spoiled = mutations.broken(whole, chance)
        yield spoiled
        read = mutations.read(spoiled)
        if not isinstance(read, protocol.Request) or (isinstance(read, protocol.Generate) and read.job < 1):
            return
        if isinstance(read, protocol.Generate):
            yield mutations.frame(protocol.Cancel(read.job))


def talk(models: Path, frames: list[bytes], tally: Tally) -> None:
    """One conversation with a server of its own."""
    process, requests, replies = born(models)
    clock = threading.Timer(SECONDS, os.kill, (process, 9))
    clock.start()
    writer = threading.Thread(target=tell, args=(requests, frames))
    writer.start()
    said = heard(replies, tally)
    writer.join()
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    clock.cancel()
    tally.processes += 1
    tally.frames += len(frames)
    tally.refused += 1
    judge(frames, said, code, tally)


def born(models: Path) -> tuple[int, BinaryIO, BinaryIO]:
    """A server, its input and its output."""
    their_input, requests = os.pipe()
    replies, their_output = os.pipe()
    process = os.fork()
    if process:
        os.close(their_input)
        os.close(their_output)
        return process, os.fdopen(requests, "wb"), os.fdopen(replies, "rb")
    try:
        os.dup2(their_input, 0)
        os.dup2(their_output, 1)
        os.closerange(3, 64)
        logging.disable()
        server.serve("cpu", [models])
    finally:
        os._exit(70)


def tell(requests: BinaryIO, frames: list[bytes]) -> None:
    try:
        with requests:
            requests.write(b"".join(frames))
    except BrokenPipeError:
        pass  # it has heard enough


def heard(replies: BinaryIO, tally: Tally) -> list[protocol.Message]:
    said: list[protocol.Message] = []
    with replies:
        try:
            while (message := protocol.read(replies)) is not None:
                said.append(message)
        except protocol.ProtocolError as error:
            tally.complaints.append(f"it sent what is no frame: {error}")
    return said


def judge(frames: list[bytes], said: list[protocol.Message], code: int, tally: Tally) -> None:
    last = said[-1] if said else None
    ended = [reply.job for reply in said if isinstance(reply, ENDS) and reply.job]
    bad = [reply.reason for reply in said if isinstance(reply, protocol.Failed) and not is_sentence(reply.reason)]
    bad += [reply.reason for reply in said if isinstance(reply, protocol.Failed) and reply.job and reply.detail]
    complaint = ""
    if code != 1 or not isinstance(last, protocol.Failed) or last.job:
        complaint = f"exit code {code} after {last!r}"
    elif bad:
        complaint = f"it said {bad[0]!r}"
    elif len(ended) != len(set(ended)):
        complaint = f"a job ended twice: {ended}"
    if complaint:
        tally.complaints.append(f"{complaint}; the last frame was {frames[-1][:200]!r}")


if __name__ == "__main__":
    main()
