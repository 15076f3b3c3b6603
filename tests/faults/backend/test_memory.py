# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that runs out: smaller windows, then one sentence, and the next job works."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from backend import hearing, memory, pipeline, planning, protocol
from backend.models.diffusion_talker import DiffusionTalker
from backend.models.unitalker import UniTalker
from tests.backend.conftest import ROOT, Client, babble
from tests.backend.test_takes import file, loaded, performed  # noqa: F401
from tests.faults.figures import is_sentence

SECONDS = 300
ERRORS = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: …"),
    "python": lambda: MemoryError(),
}


def test_the_real_errors_are_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert memory.ran_out(caught.value)
    with pytest.raises(MemoryError) as caught_by_numpy:
        np.empty(1 << 60, np.uint8)
    assert memory.ran_out(caught_by_numpy.value)
    for said in (
        "DefaultCPUAllocator: not enough memory: you tried to allocate",
        "MPS backend out of memory (MPS allocated",
    ):
        assert memory.ran_out(RuntimeError(said))  # on Windows, and on Metal
    assert not memory.ran_out(RuntimeError("shapes do not match"))
    with pytest.raises(ValueError, match="else"):
        memory.in_parts(
            lambda *_: (_ for _ in ()).throw(ValueError("something else")), np.zeros((1, 16_000)), (1,), (1.0,)
        )


@pytest.mark.parametrize(("fps", "seconds"), [(25.0, 25.0), (30.0, 24.37), (60.0, 9.01)])
def test_parts_are_joined_in_their_places(fps: float, seconds: float):
    """A model that tells the time at two rates at once: whole seconds of the sound, wherever it is cut."""
    clock = np.arange(round(seconds * 16_000), dtype=np.float32) / 16_000
    rates, asked = (fps, 50.0), []
    counts = tuple(round(seconds * rate) for rate in rates)

    def predict(samples: np.ndarray, counts: tuple[int, ...]) -> tuple[np.ndarray, ...]:
        asked.append(samples.shape)
        if samples.size > 8 * 16_000:
            raise MemoryError
        times = (np.arange(count)[None, :, None] / rate for count, rate in zip(counts, rates, strict=True))
        return tuple((samples[:, :1, None] + time).astype(np.float32) for time in times)

    tracks = memory.in_parts(predict, np.stack((clock, clock + 100)), counts, rates)
    for told, count, rate in zip(tracks, counts, rates, strict=True):
        np.testing.assert_allclose(told[0, :, 0], np.arange(count) / rate, atol=1e-3)
        np.testing.assert_allclose(told[1, :, 0], 100 + np.arange(count) / rate, atol=1e-2)
    assert asked[0][0] == 2 and {shape[0] for shape in asked[1:]} == {1}


def run_out(monkeypatch, kind: type, method: str, most: int, error) -> None:
    """Have a model's method fail for sounds of more than so many samples, until the test ends."""
    whole = getattr(kind, method)

    def limited(self, sound, *arguments, **named):
        if sound.numel() > most:
            raise error()
        return whole(self, sound, *arguments, **named)

    monkeypatch.setattr(kind, method, limited)


@pytest.mark.parametrize("device", ERRORS)
def test_motion_in_smaller_windows(tiny, monkeypatch, device: str):
    samples = babble(28.0)
    planned = planning.plan(tiny, planning.Request())
    whole = np.concatenate([chunk.values for chunk in pipeline.generate(tiny, samples, planned)])
    run_out(monkeypatch, UniTalker, "predict", 8 * 16_000, ERRORS[device])
    parts = np.concatenate([chunk.values for chunk in pipeline.generate(tiny, samples, planned)])
    assert parts.shape == whole.shape
    assert np.abs(parts - whole).mean() < 0.02 * np.ptp(whole)


def test_takes_in_smaller_pieces(loaded, monkeypatch):  # noqa: F811
    """Denoising is the same in pieces of any length."""
    samples = babble(30.0)
    whole = performed(loaded, samples, takes=2, seed=3)
    step = DiffusionTalker.step

    def limited(self, space, z, *arguments):
        if z.shape[1] > 200:
            raise ERRORS["cuda"]()
        return step(self, space, z, *arguments)

    monkeypatch.setattr(DiffusionTalker, "step", limited)
    np.testing.assert_allclose(performed(loaded, samples, takes=2, seed=3), whole, atol=1e-4)


def test_phones_are_heard_in_smaller_windows(monkeypatch):
    from backend import catalogue, checkpoint

    ears = checkpoint.load(catalogue.find("default"))
    samples = babble(26.0)
    whole = hearing.listen(ears, samples)
    run_out(monkeypatch, UniTalker, "read", 8 * 16_000, ERRORS["cuda"])
    parts = hearing.listen(ears, samples)
    assert parts.phones.shape == whole.phones.shape
    assert (parts.phones.argmax(1) == whole.phones.argmax(1)).mean() > 0.9


WITHOUT_ROOM = """\
import sys
sys.path.insert(0, sys.argv[1])
most, kind = int(sys.argv[2]), sys.argv[3]
from backend.models.unitalker import UniTalker
import torch
errors = {"cuda": torch.OutOfMemoryError("CUDA out of memory."), "python": MemoryError(),
          "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")}
whole = UniTalker.predict
def limited(self, sound, *rest):
    if most < sound.shape[-1] != 48000:
        raise errors[kind]
    return whole(self, sound, *rest)
UniTalker.predict = limited
from backend.__main__ import main
sys.exit(main(sys.argv[4:]))
"""
"""A server whose memory suffices for so many samples, and for the 3 s of silence that a rest pose needs."""


@pytest.fixture
def start_without_room(serve_command, models):
    clients = []

    def start(most: int, kind: str) -> Client:
        command = serve_command("--models", str(models), "--device", "cpu")
        place = next(number for number, word in enumerate(command) if "sys.exit(main" in word)
        command[place : place + 2] = [WITHOUT_ROOM, str(ROOT), str(most), kind]
        clients.append(Client(command, {}))
        clients[-1].next(SECONDS)
        return clients[-1]

    yield start
    for client in clients:
        client.child.kill()
        client.child.wait()


def test_a_server_that_runs_out_of_memory(start_without_room, request_for, record, times):
    """With some room it answers whole; with none it says so in one sentence, and lives on."""
    numbers = itertools.count(1)
    for kind in list(ERRORS)[: times(1, len(ERRORS))]:
        client = start_without_room(8 * 16_000, kind)
        replies = client_done(client, request_for(next(numbers), 30.0))
        assert isinstance(replies[-1], protocol.Finished)
        assert sum(len(reply.values) for reply in replies if isinstance(reply, protocol.Frames)) == 720
        client = start_without_room(0, kind)
        failed = client_done(client, request_for(next(numbers), 30.0))[-1]
        assert isinstance(failed, protocol.Failed)
        assert is_sentence(failed.reason) and "not enough memory" in failed.reason and not failed.detail
        assert isinstance(client_done(client, request_for(next(numbers), 3.0))[-1], protocol.Finished)
        assert client.leave(60) == 0
    kinds = "errors of CUDA, of torch's CPU allocator, of Python"
    record(f"memory that runs out ({kinds})", next(numbers) - 1, "smaller windows, else one sentence")


def client_done(client: Client, request: protocol.Generate) -> list[protocol.Reply]:
    client.send(request)
    return client.until_end(request.job, SECONDS)
