# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory does not grow with the recording, nor with a client that reads slowly; a big model stops at once."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, face, protocol
from backend.bench import runs
from backend.models.audio_encoder import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells another process's memory")


def resident(process: int) -> int:
    """Bytes of memory that a process has just now."""
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1])


@LINUX
def test_ten_minutes_need_hardly_more_than_one(models: Path, tmp_path: Path) -> None:
    one, ten = (runs.measured(models / "tiny.safetensors", seconds, tmp_path) for seconds in (60, 600))
    assert ten.peak_bytes < 1.15 * one.peak_bytes
    assert ten.first < 0.5 * ten.seconds


@LINUX
def test_a_client_that_does_not_read_costs_the_backend_no_memory(
    serve_command: Callable, models: Path, make_sound: Callable
) -> None:
    """Two minutes at 1000 frames a second are 25 MB of answer, of which the pipe holds 64 kB."""
    command = serve_command("--models", str(models), "--device", "cpu")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    sound = np.frombuffer(make_sound(120.0), np.uint8)
    with subprocess.Popen(command, **pipes) as child:
        assert isinstance(protocol.read(child.stdout), protocol.Ready)
        protocol.write(child.stdin, protocol.Generate(1, sound, 0.0, 120.0, "tiny", "", 1000.0))
        while not isinstance(first := protocol.read(child.stdout), protocol.Frames):
            pass
        before = resident(child.pid)
        time.sleep(4)
        waiting = resident(child.pid)
        replies = [first]
        while not isinstance(reply := protocol.read(child.stdout), protocol.Finished):
            replies.append(reply)
        child.stdin.close()
    assert waiting - before < 12e6
    assert sum(len(reply.values) for reply in replies if isinstance(reply, protocol.Frames)) == 120_000


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a WavLM of 24 wide layers, which takes seconds for a window."""
    torch.manual_seed(0)
    encoder = SpeechEncoderConfig("wavlm", layers=24)
    model = UniTalker(UniTalkerConfig(encoder, "conv", 64, 1, (HeadConfig("arkit", 52),))).eval()
    folder = tmp_path_factory.mktemp("big")
    card = checkpoint.ModelCard("big", "A big model", "GPL-3.0-or-later")
    checkpoint.save(folder / "big.safetensors", model, [face.arkit()], [], card, half=True)
    return folder


@pytest.mark.slow
def test_a_cancelled_window_of_a_big_model_does_not_keep_the_next_job_waiting(
    start_client: Callable, big: Path, models: Path, make_sound: Callable
) -> None:
    client = start_client("--models", str(big), "--models", str(models), "--device", "cpu")
    sound = np.frombuffer(make_sound(25.0), np.uint8)
    client.next()
    for job, model in ((1, "tiny"), (2, "big")):
        client.send(protocol.Generate(job, sound, 0.0, 25.0, model, "", 24.0))
    while not (isinstance(reply := client.next(), protocol.Progress) and reply.job == 2 and reply.stage == "animating"):
        pass
    time.sleep(0.5)
    client.send(protocol.Cancel(2), protocol.Generate(3, sound, 0.0, 1.0, "tiny", "", 24.0))
    began = time.monotonic()
    client.until_end(3)
    assert time.monotonic() - began < 2.0  # a window takes five seconds and more
