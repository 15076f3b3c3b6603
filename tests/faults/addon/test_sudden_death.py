# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the backend or of Blender at random moments of a job: the other one notices, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest

from tests.addon.stage import add_strip, tone
from tests.faults.addon.jobs import clear, ended
from tests.faults.figures import alive, handles, is_sentence, posix

ROOT = Path(__file__).resolve().parents[3]
CLIENT = Path(__file__).with_name("client.py")
SECONDS = 120.0
"""Patience with a busy machine."""
LONG = 90.0
"""Seconds of sound: a second or two of work."""
MOMENTS = ("starting", "queued", "loading", "listening", "animating")
pytestmark = posix


@pytest.fixture
def long_shot(shot, scene, tmp_path) -> bpy.types.Object:
    """The shot with a longer strip."""
    add_strip(scene, tone(tmp_path / "long.wav", LONG, rate=16_000), "long", channel=2)
    return shot


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.002)

    return wait


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """Where everything that is started puts its temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_killed_backend_is_one_sentence(addon, choice, long_shot, snapshot, until, temporary, times, chance, record):
    """At any moment; the file is as it was, nothing is left running or lying about, and the next job begins anew."""
    before, tried, outcomes = snapshot(), times(2, 50), Counter()
    opened = 0
    for number in range(tried):
        sentence = killed_backend(addon, choice, until, MOMENTS[number % len(MOMENTS)], chance.random() * 0.3)
        outcomes["written" if sentence is None else "sentence"] += 1
        if sentence is None:
            clear(long_shot, before)
        assert snapshot() == before
        assert not list(temporary.iterdir())
        opened = opened or handles(os.getpid())
    assert handles(os.getpid()) <= opened + 2
    outcome = f"{outcomes['sentence']} told in one sentence, {outcomes['written']} had their motion already"
    record("kill -9 of the backend during a job", tried, f"{outcome}; the file as it was, no process or file left")


def killed_backend(addon, choice, until, moment: str, later: float) -> str | None:
    """One job whose backend is killed so many seconds after a moment; its sentence, or None where it was done."""
    session = addon.session.Session()
    job = addon.job.Generation(choice(), addon.preferences.launch(), session)
    child = session._backend._child
    until(lambda: reached(session, moment))
    threading.Timer(later, os.kill, (child.pid, signal.SIGKILL)).start()
    sentence = ended(addon, job, SECONDS)
    until(lambda: child.poll() is not None)
    session.close()
    assert sentence is None or ("killed" in sentence and is_sentence(sentence))
    return sentence


def reached(session, moment: str) -> bool:
    """Whether a job has come to that stage, or past it, or to its end."""
    session.pump()
    return not session.busy or session.stage not in MOMENTS or session.stage in MOMENTS[MOMENTS.index(moment) :]


@pytest.mark.parametrize("client", ["a small client", "Blender"])
def test_a_killed_client_takes_the_backend_with_it(
    addon, until, temporary, tmp_path, times, chance, record, client, long_shot
):
    """No orphan, no file; and where Blender was killed, its .blend is byte for byte what it was."""
    tried = times(1, 40 if client == "a small client" else 10)
    blend = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    saved = blend.read_bytes()
    for number in range(tried):
        command = addon.preferences.launch().command if client == "a small client" else (str(blend),)
        backend = killed_client([client, *command], ("begun", "Progress", "Frames")[number % 3], chance.random() * 0.3)
        until(lambda backend=backend: not alive(backend))
        assert not [path for path in temporary.rglob("*") if path.is_file()]
        assert blend.read_bytes() == saved
        assert sorted(path.name for path in tmp_path.glob("shot*")) == ["shot.blend"]
    record(
        f"kill -9 of {client} during a job", tried, "the backend ended; no process or file left, the .blend as it was"
    )


def killed_client(arguments: list[str], moment: str, later: float) -> int:
    """A client that is killed so many seconds after a moment; its backend's number."""
    process = subprocess.Popen(
        [sys.executable, str(CLIENT), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        told = (line.removeprefix("> ").strip() for line in process.stdout if line.startswith("> "))
        backend = int(next(told))
        for stage in told:
            if stage in (moment, "Frames", "end"):
                break
        time.sleep(later)
        process.kill()
    return backend
