# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the backend share: a tiny model, sounds made in code, and a client of a real server process."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend import protocol

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = """\
import sys
sys.path.insert(0, sys.argv[1])
from backend.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
"""How the add-on starts the backend."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small model, ``tiny``, of random weights: space ``arkit`` at 60 fps, identities ann and bob."""
    import torch

    from backend import checkpoint, face
    from backend.models.mel_encoder import MelEncoderConfig
    from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

    torch.manual_seed(0)
    config = UniTalkerConfig(MelEncoderConfig(), "conv", 32, 3, (HeadConfig("arkit", 52),))
    model = UniTalker(config)
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, 0.3, 0.2)
    folder = tmp_path_factory.mktemp("models")
    card = checkpoint.ModelCard("tiny", "A tiny model for tests", "GPL-3.0-or-later")
    checkpoint.save(folder / "tiny.safetensors", model, [face.arkit()], ["ann", "bob"], card)
    return folder


@pytest.fixture(scope="session")
def tiny(models: Path):
    """The same model, as a process loads it that runs it: in the precision of this processor."""
    from backend import checkpoint, precision

    return precision.ready(checkpoint.load(models / "tiny.safetensors"), "cpu")


def babble(seconds: float, rate: int = 16_000) -> np.ndarray:
    """Noise that comes and goes like syllables, the same every ten seconds: float32 [n]."""
    time_axis = np.arange(10 * rate) / rate
    noise = np.random.default_rng(0).normal(0, 0.1, len(time_axis)) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_axis))
    return np.resize(noise.astype(np.float32), round(seconds * rate))


def encoded(samples: np.ndarray, rate: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """A sound file's bytes."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


class Client:
    """A server process and what it has said so far."""

    def __init__(self, command: list[str], variables: dict[str, str]) -> None:
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        )
        self._jobs = itertools.count(1)
        self.log = b""
        self._replies: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._keep_log)]
        for thread in self._threads:
            thread.start()

    def job(self) -> int:
        """A number that no job of this server had before."""
        return next(self._jobs)

    def send(self, *messages: protocol.Request) -> None:
        for message in messages:
            protocol.write(self.child.stdin, message)

    def next(self, seconds: float = 60) -> protocol.Reply:
        """The next reply; an error the reader met is raised, the end of the output is None."""
        reply = self._replies.get(timeout=seconds)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def until_end(self, job: int, seconds: float = 60) -> list[protocol.Reply]:
        """All replies up to the end of a job."""
        replies, until = [], time.monotonic() + seconds
        ends = (protocol.Finished, protocol.Failed, protocol.Cancelled)
        while not (replies and isinstance(replies[-1], ends) and replies[-1].job == job):
            replies.append(self.next(max(until - time.monotonic(), 0.01)))
        return replies

    def leave(self, seconds: float = 10) -> int:
        """End the input and wait for the process."""
        self.child.stdin.close()
        return self.wait(seconds)

    def wait(self, seconds: float = 10) -> int:
        code = self.child.wait(seconds)
        for thread in self._threads:
            thread.join(seconds)
        return code

    def _listen(self) -> None:
        try:
            while (message := protocol.read(self.child.stdout)) is not None:
                self._replies.put(message)
            self._replies.put(None)
        except protocol.ProtocolError as error:
            self._replies.put(error)

    def _keep_log(self) -> None:
        for line in self.child.stderr:
            self.log += line


@pytest.fixture(scope="session")
def serve_command() -> Callable[..., list[str]]:
    """The command line of a server, as the add-on builds it."""
    return lambda *options, python=sys.executable: [python, "-X", "utf8", "-c", BOOTSTRAP, str(ROOT), "serve", *options]


@pytest.fixture
def start_client(serve_command: Callable[..., list[str]]) -> Iterator[Callable[..., Client]]:
    """Starts servers, and ends those that the test leaves running."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, python: str = sys.executable, variables: dict[str, str] | None = None) -> Client:
            client = Client(serve_command(*options, python=python), variables or {})
            stack.callback(client.child.wait)
            stack.callback(client.child.kill)
            return client

        yield start


@pytest.fixture
def own_client(start_client: Callable[..., Client], models: Path) -> Client:
    """A server that knows the tiny model and has said that it is ready."""
    client = start_client("--models", str(models), "--device", "cpu")
    assert isinstance(client.next(), protocol.Ready)
    return client


@pytest.fixture(scope="module")
def client(serve_command: Callable[..., list[str]], models: Path) -> Iterator[Client]:
    """The same for all tests of a module that leave it alive and without a job."""
    client = Client(serve_command("--models", str(models), "--device", "cpu"), {})
    assert isinstance(client.next(), protocol.Ready)
    yield client
    assert client.leave() == 0


@pytest.fixture
def make_sound() -> Callable[..., bytes]:
    """Bytes of a wav file with so many seconds of `babble`."""
    return lambda seconds=1.0, rate=16_000: encoded(babble(seconds, rate), rate)


@pytest.fixture
def request_for(make_sound: Callable[..., bytes]) -> Callable[..., protocol.Generate]:
    """A request with the tiny model for so many seconds of sound."""

    def request(job: int, seconds: float = 1.0, **fields: object) -> protocol.Generate:
        sound = fields.pop("sound", None) or make_sound(seconds)
        whole = {"start": 0.0, "duration": seconds, "model": "tiny", "space": "", "fps": 24.0, **fields}
        return protocol.Generate(job, np.frombuffer(sound, np.uint8), **whole)

    return request
