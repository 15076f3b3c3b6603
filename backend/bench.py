# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a model is on this machine, as ratios to the plain WavLM-base encoder that systems of this kind run.

Both are measured in turn in the same process, so that a busy machine slows both. Memory is the peak of a process of its
own that does nothing else.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from . import checkpoint, pipeline, windows

ROOT = Path(__file__).resolve().parents[1]

CLIP_SECONDS = 10
LONG_SECONDS = (60, 600)


class BenchError(Exception):
    """Something that is measured does not run."""


@dataclass(frozen=True)
class Figures:
    """What one run of the bench found."""

    model: str
    threads: int
    clip_seconds: int
    encoder: float
    """Seconds the plain encoder takes for the clip; only good to read the ratios with."""
    motion: float
    """Seconds the model takes for the clip, from samples to frames."""
    peak_bytes: dict[int, int]
    """Peak memory of the process by seconds of sound."""

    @property
    def speed_up(self) -> float:
        """How many times faster than the plain encoder alone the whole way from samples to frames is."""
        return self.encoder / self.motion

    @property
    def growth(self) -> float:
        """Peak memory for the longest sound over that for the shortest."""
        return self.peak_bytes[max(self.peak_bytes)] / self.peak_bytes[min(self.peak_bytes)]


def measure(path: Path, runs: int = 5) -> Figures:
    """Measure the model in a file. Raises `checkpoint.CheckpointError`."""
    import torch

    # first of all: a child's peak counts from the size of the process that it was forked from
    peaks = {seconds: peak_memory(path, seconds) for seconds in LONG_SECONDS}
    loaded = checkpoint.load(path)
    samples = babble(CLIP_SECONDS)
    encoder, motion = alternate(plain_encoder(samples), lambda: animate(loaded, samples), runs)
    return Figures(loaded.info.name, torch.get_num_threads(), CLIP_SECONDS, encoder, motion, peaks)


def babble(seconds: int) -> np.ndarray:
    """Sound that rises and falls like syllables, the same every ten seconds: float32 [n] at 16 kHz."""
    time_axis = np.arange(10 * windows.SAMPLE_RATE) / windows.SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(len(time_axis))
    syllables = noise * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * time_axis))
    return np.resize(syllables.astype(np.float32), seconds * windows.SAMPLE_RATE)


def animate(loaded: checkpoint.LoadedModel, samples: np.ndarray) -> int:
    """Run the whole pipeline and keep nothing; gives the number of frames."""
    planned = pipeline.plan(loaded, pipeline.Request())
    return sum(len(chunk.values) for chunk in pipeline.generate(loaded, samples, planned))


def plain_encoder(samples: np.ndarray) -> Callable[[], object]:
    """WavLM-base as transformers runs it when asked for nothing: float32, eager attention with its maps."""
    import torch
    from transformers import WavLMConfig, WavLMModel

    model = WavLMModel(WavLMConfig()).eval()
    sound = torch.from_numpy(samples)[None]

    def run() -> object:
        with torch.inference_mode():
            return model(sound, output_attentions=True)

    return run


def alternate(first: Callable[[], object], second: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median seconds of two things that are done in turn, after one warm-up of each."""
    taken: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for work, seconds in zip((first, second), taken, strict=True):
            started = time.perf_counter()
            work()
            if run:
                seconds.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


def peak_memory(path: Path, seconds: int) -> int:
    """Bytes that the command line needs at most to animate so many seconds of a wav file."""
    with tempfile.TemporaryDirectory() as folder:
        sound, motion = Path(folder) / "babble.wav", Path(folder) / "motion.npz"
        soundfile.write(sound, babble(seconds), windows.SAMPLE_RATE)
        command = [sys.executable, "-m", "backend", "generate", sound, "--output", motion, "--model", path]
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise BenchError(f"The command line failed on {seconds} s of sound; run `python -m backend doctor`.")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
