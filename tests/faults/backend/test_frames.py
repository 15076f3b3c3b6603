# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken frames: the codec and real server processes answer each with a sentence; none hangs, crashes or grows."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np

from backend import protocol
from tests.backend.conftest import babble, encoded
from tests.faults import mutations
from tests.faults.figures import MB, handles, is_sentence, linux, memory, posix

SECONDS = 300
"""Patience with a busy machine."""
NURSERY = Path(__file__).with_name("nursery.py")
SOUND = np.frombuffer(encoded(babble(1.0)), np.uint8)


def test_the_reader_takes_broken_frames_for_what_they_are(times, chance, record):
    """In this process: a message that could be sent again, or one `ProtocolError`; and no lie costs memory."""
    tried, outcomes = times(1000, 24_000), Counter()
    tracemalloc.start()
    for number in range(tried):
        kind = mutations.KINDS[number % len(mutations.KINDS)]
        data = mutations.broken(mutations.frame(mutations.any_message(kind, chance)), chance)
        try:
            message = protocol.read(io.BytesIO(data))
        except protocol.ProtocolError as error:
            assert is_sentence(str(error)), error
            outcomes["refused"] += 1
        else:
            assert message is None or mutations.frame(message)
            outcomes["read"] += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MB
    assert outcomes["refused"] > tried / 2 and outcomes["read"] > tried / 100
    outcome = f"{outcomes['refused']} refused with a sentence, {outcomes['read']} still a message; at most "
    record("mutated frames, the reader itself", tried, f"{outcome}{peak / MB:.1f} MB of memory")


@posix
def test_server_processes_take_broken_frames_for_what_they_are(models, times, record):
    """The last frame of each conversation is no request: one sentence, exit code 1, and at most so much memory."""
    wanted = times(40, 2000)
    command = [sys.executable, str(NURSERY), str(models), str(wanted), "8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert tally["complaints"] == []
    assert tally["peak"] < 900 * MB
    outcome = f"{tally['processes']} processes ended with one sentence each, at most {tally['peak'] / MB:.0f} MB"
    record("mutated frames, real server processes", tally["frames"], outcome)


@linux
def test_one_server_lives_through_requests_that_are_nonsense(start_client, models, times, chance, record):
    """Whole frames with nonsense in them: each job has one end, and memory and handles stay as they were."""
    client = start_client("--models", str(models), "--device", "cpu")
    client.next(SECONDS)
    before, tried = 0, times(80, 1000)
    for number in range(1, tried + 1):
        request = mutations.any_message(protocol.Generate, chance, job=number, **nonsense(chance))
        client.send(request, protocol.Unload()) if chance.random() < 0.02 else client.send(request)
        end = client.until_end(number, SECONDS)[-1]
        assert isinstance(end, protocol.Finished) or (is_sentence(end.reason) and not end.detail), (request, end)
        if number == tried // 3:
            before, open_before = memory(client.child.pid), handles(client.child.pid)
    grown = memory(client.child.pid) - before
    assert handles(client.child.pid) == open_before
    assert grown < 24 * MB
    assert client.leave() == 0
    record(
        "requests full of nonsense, one server", tried, f"one end each; {max(grown, 0) / MB:.1f} MB and no handle more"
    )


def nonsense(chance) -> dict[str, object]:
    """Now and then a model, space or sound that is there, so that the nonsense reaches further in."""
    fields: dict[str, object] = {}
    if chance.random() < 0.9:
        fields |= {"model": "tiny", "duration": chance.choice((0.5, 0.0, -1.0, 5e-324, 1e9))}
    if chance.random() < 0.7:
        fields |= {"space": "", "identity": chance.choice(("pivot", "ann", *mutations.TEXTS))}
    if chance.random() < 0.7:
        fields |= {"sound": SOUND, "start": chance.choice((0.0, -3.0, 1e9, -1e300))}
    if chance.random() < 0.5:
        fields |= {"transcript": "", "fps": chance.choice((24.0, 1000.0))}
    return fields


def test_slow_writers_are_waited_for(start_client, models, request_for, times, record):
    """Some bytes at a time, with pauses inside lengths, header and payload."""
    clients = [start_client("--models", str(models), "--device", "cpu") for _ in range(times(2, 6))]
    for client in clients:
        client.next(SECONDS)
    data = mutations.frame(request_for(1, 0.5))
    edges = sorted({1, 4, 7, 9, 200, 1000, *range(2000, len(data), 2000), len(data)})
    for first, last in itertools.pairwise((0, *edges)):
        for client in clients:
            client.child.stdin.write(data[first:last])
            client.child.stdin.flush()
        time.sleep(0.05)
    for client in clients:
        assert isinstance(client.until_end(1, SECONDS)[-1], protocol.Finished)
    half = mutations.frame(request_for(2, 0.5))[:3000]
    for client in clients:
        client.child.stdin.write(half)
        assert client.leave() == 1, "input that ends within a frame is a fault"
    record("frames written a few bytes at a time", len(clients) * (len(edges) + 1), "read when they are whole")
