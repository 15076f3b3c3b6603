# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory does not grow with the recording, nor with a client that reads slowly; a big model stops at once."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import checkpoint, face, pipeline, planning, precision, protocol
from backend.audio import decode
from backend.bench import runs
from backend.models.speech_config import SpeechEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from tests.backend.conftest import babble, encoded

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells another process's memory")


def told(process: int, what: str) -> int:
    """Bytes of memory that a process has just now (``VmRSS``) or had at most (``VmHWM``)."""
    return 1024 * int(re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1])


def worked(process: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@LINUX
@pytest.mark.parametrize("name", ["default", pytest.param("diffusion", marks=pytest.mark.slow)])
def test_ten_minutes_need_hardly_more_than_one(tmp_path: Path, name: str) -> None:
    one, ten = (runs.measured(runs.SHIPPED / f"{name}.safetensors", seconds, tmp_path) for seconds in (60, 600))
    assert ten.peak_bytes < 1.08 * one.peak_bytes
    assert ten.first < 0.5 * ten.seconds


@LINUX
@pytest.mark.slow
def test_a_server_that_hears_phones_needs_no_more_for_ten_minutes_either(start_client: Callable) -> None:
    """But for the bytes of the file, which come through the pipe."""
    peaks = []
    for seconds in (60, 600):
        sound = np.frombuffer(encoded(babble(seconds), kind="FLAC"), np.uint8)
        client = start_client("--device", "cpu")
        client.next()
        client.send(protocol.Generate(1, sound, 0.0, float(seconds), "default", "", 24.0))
        replies = client.until_end(1, 600)
        assert {protocol.Phones, protocol.Frames, protocol.Finished} <= {type(reply) for reply in replies}
        peaks.append(told(client.child.pid, "VmHWM") - sound.nbytes)
        assert client.leave() == 0
    assert peaks[1] < 1.08 * peaks[0]


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
        before = told(child.pid, "VmRSS")
        time.sleep(3)
        busy = worked(child.pid)
        time.sleep(2)
        waiting, idle = told(child.pid, "VmRSS"), worked(child.pid) - busy
        replies = [first]
        while not isinstance(reply := protocol.read(child.stdout), protocol.Finished):
            replies.append(reply)
        child.stdin.close()
    assert waiting - before < 12e6
    assert idle < 0.2
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
@LINUX
def test_a_cancelled_window_of_a_big_model_does_not_keep_the_next_job_waiting(
    start_client: Callable, big: Path, models: Path, make_sound: Callable
) -> None:
    """A window is seconds of work. Of it, half a second may go on, with all of the next job."""
    client = start_client("--models", str(big), "--models", str(models), "--device", "cpu")
    sound, process = np.frombuffer(make_sound(25.0), np.uint8), client.child.pid
    client.next()
    for job, model in ((1, "tiny"), (2, "big")):
        client.send(protocol.Generate(job, sound, 0.0, 25.0, model, "", 24.0))
    while not (isinstance(reply := client.next(), protocol.Progress) and reply.job == 2 and reply.stage == "animating"):
        pass
    begun = worked(process)
    while worked(process) < begun + 0.5:
        time.sleep(0.01)
    client.send(protocol.Cancel(2), protocol.Generate(3, sound, 0.0, 1.0, "tiny", "", 24.0))
    told_at = worked(process)
    client.until_end(3)
    assert worked(process) - told_at < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_a_cancel_is_looked_at_all_the_time(big: Path, make_sound: Callable, kind: precision.Precision) -> None:
    """Between two looks lies a twentieth of a window's work at most: a layer of a big model."""
    loaded = precision.ready(checkpoint.load(big / "big.safetensors"), "cpu", kind)
    looks: list[float] = []

    def stop() -> bool:
        looks.append(time.thread_time())
        return False

    planned = planning.plan(loaded, planning.Request(raw=True))
    looks.append(time.thread_time())
    assert list(pipeline.generate(loaded, decode(make_sound(25.0)), planned, stop))
    looks.append(time.thread_time())
    assert max(np.diff(looks)) < 0.05 * (looks[-1] - looks[0])
