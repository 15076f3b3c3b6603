# SPDX-License-Identifier: GPL-3.0-or-later
"""Real server processes: jobs, cancels, bad input, noisy libraries, and every way to part."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np
import pytest

from backend import protocol
from backend.protocol import Cancel, Cancelled, Failed, Finished, Frames, Look, Progress, Ready, Unload

LONG = 1200.0
"""Seconds of sound that keep a server busy for longer than any of these tests looks."""

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process tables of POSIX systems")


def values(replies: list[protocol.Reply]) -> np.ndarray:
    """All frames of a job, which must have come in order and without gaps."""
    pieces = [reply for reply in replies if isinstance(reply, Frames)]
    starts = np.cumsum([0, *(len(piece.values) for piece in pieces)])
    assert [piece.start for piece in pieces] == starts[:-1].tolist()
    return np.concatenate([piece.values for piece in pieces])


def test_ready_comes_first_and_says_who_it_is(start_client, models: Path, request_for, tmp_path: Path):
    """Even where a job was sent and cancelled before; a broken model file is left out and noted in the log."""
    (tmp_path / "broken.safetensors").write_bytes((models / "tiny.safetensors").read_bytes()[:1000])
    client = start_client("--models", str(tmp_path), "--models", str(models), "--device", "cpu")
    client.send(request_for(1), Cancel(1), request_for(2))
    ready = client.next()
    assert isinstance(ready, Ready)
    assert (ready.protocol, ready.device) == (protocol.VERSION, "cpu")
    listed = {model.name: model for model in ready.models}
    assert "broken" not in listed
    assert (listed["tiny"].spaces, listed["tiny"].identities) == (("arkit",), ("ann", "bob"))
    assert listed["tiny"].bytes == (models / "tiny.safetensors").stat().st_size
    assert isinstance(client.until_end(1)[-1], Cancelled)
    assert isinstance(client.until_end(2)[-1], Finished)
    assert client.leave() == 0
    assert b"broken.safetensors" in client.log


def test_a_job_gives_every_frame_and_one_end(client, request_for):
    job = client.job()
    client.send(request_for(job, 2.0, fps=24.0))
    replies = client.until_end(job)
    end = replies[-1]
    assert isinstance(end, Finished)
    assert (end.frames, end.space, end.fps, len(end.names)) == (48, "arkit", 24.0, 52)
    assert values(replies).shape == (48, 52)
    about = json.loads(end.metadata[0])
    assert (about["model"], about["identity"]) == ("tiny", "pivot")
    fractions = [reply.fraction for reply in replies if isinstance(reply, Progress)]
    assert fractions == sorted(fractions) and 0 <= fractions[0] <= fractions[-1] <= 1


def test_the_server_gives_what_the_pipeline_gives(client, request_for, make_sound, tiny):
    from backend import audio, pipeline, planning

    sound = make_sound(30.0)
    job = client.job()
    client.send(request_for(job, 27.5, sound=sound, start=1.25, fps=30.0, identity="bob", raw=True))
    served = values(client.until_end(job))
    planned = planning.plan(tiny, planning.Request(fps=30.0, identity="bob", raw=True))
    direct = [chunk.values for chunk in pipeline.generate(tiny, audio.decode(sound, 1.25, 27.5), planned)]
    np.testing.assert_allclose(served, np.concatenate(direct), atol=1e-5)


@pytest.fixture
def a_second_later() -> None:
    """Progress of the tests before no longer counts against the ten a second."""
    time.sleep(1.1)


@pytest.mark.usefixtures("a_second_later")
def test_two_jobs_wait_for_each_other(client, request_for):
    one, two = client.job(), client.job()
    client.send(request_for(one, 60.0), request_for(two, 1.0))
    first, second = client.until_end(one), client.until_end(two)
    assert isinstance(first[-1], Finished) and isinstance(second[-1], Finished)
    assert {reply.job for reply in first if isinstance(reply, Frames)} == {one}
    assert {reply.stage for reply in first if isinstance(reply, Progress) and reply.job == two} == {"queued"}


@pytest.mark.usefixtures("a_second_later")
def test_an_unloaded_model_is_loaded_again(client, request_for):
    jobs = [client.job() for _ in range(3)]
    client.send(*map(request_for, jobs[:2]), Unload(), request_for(jobs[2]))
    stages = [{reply.stage for reply in client.until_end(job) if isinstance(reply, Progress)} for job in jobs]
    assert "loading" not in stages[1] and "loading" in stages[2]


def test_a_model_that_was_trained_anew_into_its_file_is_loaded_again(start_client, models: Path, request_for, tmp_path):
    mine = tmp_path / "mine.safetensors"
    shutil.copy(models / "tiny.safetensors", mine)
    client = start_client("--models", str(tmp_path), "--device", "cpu")
    assert isinstance(client.next(), Ready)
    client.send(request_for(1, model="mine"))
    before = values(client.until_end(1))
    write_louder(mine)
    client.send(request_for(2, model="mine"), request_for(3, model="mine"))
    after, again = client.until_end(2), client.until_end(3)
    assert np.abs(values(after) - before).max() > 1e-3
    np.testing.assert_array_equal(values(again), values(after))
    stages = [{reply.stage for reply in replies if isinstance(reply, Progress)} for replies in (after, again)]
    assert "loading" not in stages[1]
    mine.unlink()
    client.send(request_for(4, model="mine"))
    assert "no model “mine”" in client.until_end(4)[-1].reason


def write_louder(file: Path) -> None:
    """Put a model that moves twice as far in a model's place, as training does: at once and whole."""
    import torch

    from backend import checkpoint

    loaded = checkpoint.load(file)
    with torch.no_grad():
        for parameter in loaded.model.heads.parameters():
            parameter.mul_(2)
    checkpoint.save(file, loaded.model, list(loaded.spaces.values()), loaded.identities, loaded.info)


def test_a_look_tells_what_is_loaded_and_what_has_come_since(start_client, models: Path, request_for, tmp_path: Path):
    folder = tmp_path / "models"
    folder.mkdir()
    client = start_client("--models", str(models), "--models", str(folder), "--device", "cpu")
    assert isinstance(client.next(), Ready)
    client.send(request_for(1))
    assert isinstance(client.until_end(1)[-1], Finished)
    shutil.copy(models / "tiny.safetensors", folder / "new.safetensors")
    client.send(Look(), Unload(), Look())
    before, after = client.next(), client.next()
    assert before.loaded[0] == "tiny" and after.loaded == ()
    assert {"default", "tiny", "new"} <= {model.name for model in before.models}
    assert before.models == after.models
    shutil.rmtree(folder)
    client.send(Look(), request_for(2))
    assert client.next().models == ()
    assert "no folder" in client.until_end(2)[-1].reason


def test_the_computers_free_memory_is_told_where_linux_tells_it(client):
    client.send(Look())
    status = client.next()
    if Path("/proc/meminfo").exists():
        assert 0 < status.free < status.memory
    else:
        assert (status.free, status.memory) == (0, 0)


def test_cancel_answers_within_a_second_and_the_next_job_works(client, request_for):
    long, short = client.job(), client.job()
    client.send(request_for(long, LONG))
    wait_for_frames(client)
    began = time.monotonic()
    client.send(Cancel(long))
    assert isinstance(client.until_end(long)[-1], Cancelled)
    assert time.monotonic() - began < 1.0
    client.send(request_for(short))
    after = client.until_end(short)
    assert isinstance(after[-1], Finished)
    assert not [reply for reply in after if reply.job == long]


def wait_for_frames(client) -> None:
    while not isinstance(client.next(), Frames):
        pass


def test_a_waiting_job_can_be_cancelled_and_an_ended_one_is_left_alone(client, request_for):
    first, second, third = client.job(), client.job(), client.job()
    client.send(request_for(first, LONG), request_for(second), Cancel(second), Cancel(10_000))
    assert isinstance(client.until_end(second)[-1], Cancelled)
    client.send(Cancel(first))
    assert isinstance(client.until_end(first)[-1], Cancelled)
    client.send(Cancel(first), request_for(third))
    assert [reply.job for reply in client.until_end(third) if not isinstance(reply, Frames | Progress)] == [third]


def test_progress_comes_at_most_ten_times_a_second(client, request_for):
    time.sleep(1.1)  # what was said to the test before counts no longer
    jobs = [client.job() for _ in range(14)]
    client.send(request_for(jobs[0], 120.0, fps=60.0), *(request_for(job, 0.2) for job in jobs[1:]))
    times: list[float] = []
    reply = None
    while not (isinstance(reply, Finished) and reply.job == jobs[-1]):
        reply = client.next()
        if isinstance(reply, Progress):
            times.append(time.monotonic())
    assert len(times) > 3
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[10:], strict=False))


def test_a_job_number_is_used_once(client, request_for):
    """A second request of a number fails alone; while the first one runs, its end answers for both."""
    job, other = client.job(), client.job()
    client.send(request_for(job), request_for(job), request_for(other))
    replies = client.until_end(other)
    client.send(request_for(job))
    refused = client.until_end(job)[-1]
    assert isinstance(refused, Failed) and "used once" in refused.reason
    assert [reply.job for reply in replies if isinstance(reply, Finished | Failed)] == [job, other]


def test_a_job_number_below_one_is_no_request(own_client, request_for):
    own_client.send(request_for(0))
    fault = own_client.next()
    assert isinstance(fault, Failed) and fault.job == 0 and "not above 0" in fault.reason
    assert own_client.wait() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "nobody"}, "no model “nobody”"),
        ({"model": "../tiny"}, "no model"),
        ({"space": "flame"}, "no face space “flame”; it has arkit"),
        ({"identity": "carl"}, "no identity “carl”; it has ann, bob"),
        ({"identity": "3"}, "no identity “3”"),
        ({"fps": 0.0}, "frames per second"),
        ({"fps": -24.0}, "frames per second"),
        ({"sound": b"hello, this is text"}, "not a sound"),
        ({"duration": 0.01}, "at least 0.1 s"),
        ({"duration": -1.0}, "at least 0.1 s"),
        ({"duration": 1e12}, "at most 24"),
    ],
    ids=str,
)
def test_bad_requests_fail_with_a_sentence_and_the_server_lives_on(client, request_for, fields, sentence):
    job = client.job()
    client.send(request_for(job, **fields))
    end = client.until_end(job)[-1]
    assert isinstance(end, Failed)
    assert sentence in end.reason and end.reason.endswith(".") and "\n" not in end.reason
    assert end.detail == ""
    assert client.child.poll() is None


def test_the_identity_changes_the_motion(client, request_for):
    jobs = {client.job(): identity for identity in ("ann", "0", "pivot", "2")}
    client.send(*(request_for(job, identity=identity) for job, identity in jobs.items()))
    ann, first, pivot, last = (values(client.until_end(job)) for job in jobs)
    np.testing.assert_array_equal(ann, first)
    np.testing.assert_array_equal(pivot, last)
    assert np.abs(ann - pivot).max() > 1e-4


NOISE = """
import ctypes, os, subprocess, sys, threading, time

def shout():
    while "torch" not in sys.modules:
        time.sleep(0.001)
    native = ctypes.CDLL(None)
    for number in range(200):
        print("python noise", number, flush=True)
        os.write(1, b"raw noise\\n")
        native.puts(b"native noise")
        native.fflush(None)
        if number % 50 == 0:
            subprocess.run(["/bin/sh", "-c", "cat; echo child noise"])
        time.sleep(0.005)

threading.Thread(target=shout, daemon=True).start()
"""


@posix
def test_prints_of_any_library_go_to_the_log(start_client, models: Path, request_for, tmp_path: Path):
    """A library that prints in every way there is, loaded by Python itself before anything of ours."""
    (tmp_path / "sitecustomize.py").write_text(NOISE, encoding="utf-8")
    client = start_client("--models", str(models), variables={"PYTHONPATH": str(tmp_path)})
    assert isinstance(client.next(), Ready)
    for job in range(1, 6):
        client.send(request_for(job, 20.0))
        assert isinstance(client.until_end(job)[-1], Finished)
    time.sleep(1.0)
    client.leave()
    for noise in (b"python noise", b"raw noise", b"native noise", b"child noise"):
        assert noise in client.log


def test_the_end_of_input_ends_a_working_server_within_a_second(own_client, request_for):
    own_client.send(request_for(1, LONG))
    wait_for_frames(own_client)
    began = time.monotonic()
    assert own_client.leave() == 0
    assert time.monotonic() - began < 1.0


def test_the_end_of_input_ends_a_server_that_still_starts(start_client, models: Path):
    client = start_client("--models", str(models))
    time.sleep(0.3)
    began = time.monotonic()
    assert client.leave() == 0
    assert time.monotonic() - began < 1.5


def test_a_client_that_stops_listening_is_left_quietly(serve_command, models: Path, request_for):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(serve_command("--models", str(models)), **pipes) as server:
        protocol.write(server.stdin, request_for(1, LONG))
        while not isinstance(protocol.read(server.stdout), Frames):
            pass
        server.stdout.close()
        log = server.stderr.read()
        assert server.wait(10) == 0
    assert b"Traceback" not in log


PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.pid, flush=True)
child.stdout.read(8)
sys.stdout.write("ready\\n")
sys.stdout.flush()
time.sleep(600)
"""


@posix
def test_a_killed_client_takes_the_server_with_it(serve_command, models: Path):
    command = [sys.executable, "-c", PARENT, *serve_command("--models", str(models))]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    server = int(parent.stdout.readline())
    assert parent.stdout.readline() == "ready\n"
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 5
    while alive(server) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(server)


HEIR = """
import os, subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.pid, flush=True)
child.stdout.read(8)
if heir := os.fork():
    print(heir, flush=True)
time.sleep(60)
"""
"""Another child, forked by another add-on say, keeps both pipes open."""


@posix
def test_an_inherited_pipe_does_not_keep_the_server_alive(serve_command, models: Path):
    command = [sys.executable, "-c", HEIR, *serve_command("--models", str(models))]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    server, heir = int(parent.stdout.readline()), int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 10
    while alive(server) and time.monotonic() < until:
        time.sleep(0.05)
    assert alive(heir)
    os.kill(heir, signal.SIGKILL)
    assert not alive(server)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    state = Path(f"/proc/{process}/stat")
    if state.exists():
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    return subprocess.run(["ps", "-p", str(process)], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n" * 10, struct.pack("<II", 9, 0) + b"{}       ", struct.pack("<II", 20, 0) + b"cut"],
    ids=["http", "no message", "cut"],
)
def test_garbage_ends_the_server_with_a_sentence_and_a_traceback_in_the_log(start_client, garbage: bytes):
    client = start_client()
    client.child.stdin.write(garbage)
    client.child.stdin.flush()
    client.child.stdin.close()
    fault = client.next()
    assert isinstance(fault, Failed)
    assert fault.job == 0 and fault.reason.endswith(".") and "ProtocolError" in fault.detail
    assert client.wait() == 1
    assert b"Traceback" in client.log


def test_a_reply_is_no_request(start_client):
    client = start_client()
    protocol.write(client.child.stdin, protocol.Cancelled(1))
    fault = client.next()
    assert isinstance(fault, Failed) and "does not send Cancelled" in fault.reason
    assert client.wait() == 1


def test_a_python_without_torch_is_named_in_one_sentence(start_client, tmp_path: Path):
    """A new virtual environment has none of our packages, numpy included."""
    venv.create(tmp_path / "bare", symlinks=os.name == "posix")
    python = tmp_path / "bare" / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
    client = start_client(python=str(python))
    fault = client.next()
    assert isinstance(fault, Failed)
    assert fault.job == 0 and "torch" in fault.reason and "-m pip install" in fault.reason
    assert client.wait() == 1


def test_a_missing_folder_of_models_is_named(start_client, tmp_path: Path):
    client = start_client("--models", str(tmp_path / "nowhere"))
    fault = client.next()
    assert isinstance(fault, Failed) and "nowhere" in fault.reason
    assert client.wait() == 1
