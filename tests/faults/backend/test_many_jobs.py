# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs, two servers at once, and a recording of two hours: memory and handles stay flat."""

from __future__ import annotations

import subprocess
import time

import numpy as np

from backend import protocol
from tests.backend.conftest import babble, encoded
from tests.faults.figures import MB, handles, linux, memory

SECONDS = 600
"""Patience with a busy machine."""
pytestmark = linux


def frames_of(replies: list[protocol.Reply]) -> int:
    return sum(len(reply.values) for reply in replies if isinstance(reply, protocol.Frames))


def test_many_jobs_in_a_row(own_client, request_for, times, chance, record):
    """Whole ones, cancelled ones and failures; the first fifth warms everything up."""
    tried, process = times(30, 500), own_client.child.pid
    for job in range(1, tried + 1):
        kind = chance.choice(("whole", "whole", "cancelled", "failed"))
        own_client.send(request_for(job, 3.0, model="nobody" if kind == "failed" else "tiny"))
        if kind == "cancelled":
            own_client.send(protocol.Cancel(job))
        end = own_client.until_end(job, SECONDS)[-1]
        assert isinstance(end, protocol.Failed) == (kind == "failed")
        if job == tried // 5:
            owned, opened = memory(process), handles(process)
    grown = memory(process) - owned
    assert handles(process) == opened
    assert grown < 12 * MB
    record("jobs in a row", tried, f"{max(grown, 0) / MB:.1f} MB and no handle more than after the first fifth")


def test_two_servers_at_once(start_client, models, request_for, times, record):
    """As two Blenders have them: each answers its own, as it does alone."""
    clients = [start_client("--models", str(models), "--device", "cpu") for _ in range(2)]
    for client in clients:
        client.next(SECONDS)
    tried = times(2, 20)
    for job in range(1, tried + 1):
        for client, fps in zip(clients, (24.0, 30.0), strict=True):
            client.send(request_for(job, 4.0, fps=fps))
        for client, fps in zip(clients, (24.0, 30.0), strict=True):
            replies = client.until_end(job, SECONDS)
            assert isinstance(replies[-1], protocol.Finished)
            assert (frames_of(replies), replies[-1].fps) == (4 * fps, fps)
    assert [client.leave(60) for client in clients] == [0, 0]
    record("jobs in two servers at once", 2 * tried, "each as alone")


def test_a_client_that_does_not_read(serve_command, models, request_for, times, record):
    """The server waits for it instead of piling answers up, and its answer is whole once it is read."""
    seconds = times(120, 900)
    with subprocess.Popen(
        serve_command("--models", str(models)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        protocol.write(server.stdin, request_for(1, float(seconds), fps=60.0))
        while not isinstance(protocol.read(server.stdout), protocol.Frames):
            pass
        time.sleep(1.0)
        owned = memory(server.pid)
        time.sleep(times(1, 5))
        grown = memory(server.pid) - owned
        rest = []
        while not isinstance(reply := protocol.read(server.stdout), protocol.Finished):
            rest.append(reply)
        server.stdin.close()
        assert server.wait(SECONDS) == 0
    assert reply.frames == 60 * seconds and len(rest) > 3
    assert grown < 24 * MB
    record("a client that stops reading", 1, f"the server waits; {max(grown, 0) / MB:.1f} MB more")


def test_a_recording_of_hours(own_client, request_for, times, record):
    """Speech and silence for two hours; from its first tenth on memory stays as it is, but for the sound itself."""
    seconds = times(240, 7200)
    sound = np.tile(np.concatenate((babble(40.0, 8000), np.zeros(160_000, np.float32))), -(-seconds // 60))
    content, process = encoded(sound[: seconds * 8000], 8000, "WAV", "PCM_U8"), own_client.child.pid
    own_client.send(request_for(1, float(seconds), sound=content, fps=24.0))
    done, early, peak = 0, 0, 0
    while not isinstance(reply := own_client.next(SECONDS), protocol.Finished):
        assert not isinstance(reply, protocol.Failed), reply
        if isinstance(reply, protocol.Frames):
            assert reply.start == done
            done += len(reply.values)
            early = early or (memory(process) if done > 24 * seconds / 10 else 0)
            peak = max(peak, memory(process))
    assert done == reply.frames == 24 * seconds
    assert peak - early < 24 * MB
    hours = f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds // 60} minutes"
    record(f"a recording of {hours}", 1, f"{done} frames; {max(peak - early, 0) / MB:.0f} MB more than after a tenth")
