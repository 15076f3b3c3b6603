# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs, each in a process of its own: seconds, peak of memory, first motion, and the start of the backend."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import soundfile
from backend import protocol
from backend.windows import SAMPLE_RATE

from . import subjects
from .figures import BenchError, Figure
from .subjects import Subject

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "backend" / "weights"
MOST_GROWTH = 1.15
"""Peak memory for ten minutes may be so much of that for one."""
LONG, LONGEST = 60, 600
MOST_SECONDS_TO_READY = 4.0


@dataclass(frozen=True)
class Run:
    """One model on one sound."""

    seconds: float
    first: float
    """Seconds until the first frames."""
    peak_bytes: float
    card_bytes: float = 0.0
    """What it had at most of a graphics card's memory."""


def model_file(subject: Subject, folder: Path) -> Path:
    """Where a subject's model lies: among those that ship, or else made. Raises `BenchError`."""
    shipped = SHIPPED / f"{subject.name}.safetensors"
    if shipped.exists():
        return shipped
    path = folder / f"{subject.name}.safetensors"
    if not path.exists():
        finished([sys.executable, "-m", "backend.bench.subjects", subject.name, str(path)])
    return path


def measured(path: Path, seconds: int, folder: Path, where: str = "cpu") -> Run:
    """One run on a device. Raises `BenchError`."""
    sound = folder / f"{seconds}.wav"
    if not sound.exists():
        soundfile.write(sound, subjects.babble(seconds), SAMPLE_RATE)
    told = json.loads(finished([sys.executable, "-m", "backend.bench.child", str(path), str(sound), where]))
    return Run(told["whole"], told["first"], told["peak"], told["card"])


def figures(title: str, path: Path, lengths: Sequence[int], folder: Path, where: str = "cpu") -> list[Figure]:
    """Seconds and memory of one model for sounds of some lengths, on a device. Raises `BenchError`."""
    runs = {seconds: measured(path, seconds, folder, where) for seconds in lengths}
    name = title if where == "cpu" else f"{title} on {where}"
    found = []
    for seconds, run in runs.items():
        found.append(Figure(f"{name}: {seconds} s of sound", run.seconds, "s"))
        found.append(Figure(f"{name}: {seconds} s of sound, peak memory", run.peak_bytes / 1e6, "MB"))
        if run.card_bytes:
            found.append(Figure(f"{name}: {seconds} s of sound, peak memory of the card", run.card_bytes / 1e6, "MB"))
    longest = runs[max(lengths)]
    found.append(Figure(f"{name}: first motion of {max(lengths)} s", longest.first, "s"))
    if LONG in runs and LONGEST in runs:
        growth = runs[LONGEST].peak_bytes / runs[LONG].peak_bytes
        found.append(Figure(f"{name}: peak memory, {LONGEST} s / {LONG} s", growth, "x", at_most=MOST_GROWTH))
    return found


def start_to_ready(runs: int = 3) -> Figure:
    """Seconds from the start of the backend's process to its first message, with a warm disk."""
    seconds = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "backend", "serve"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child:
            first = protocol.read(cast("BinaryIO", child.stdout))
            seconds.append(time.perf_counter() - began)
            cast("BinaryIO", child.stdin).close()
        if not isinstance(first, protocol.Ready):
            raise BenchError("The backend does not start; run `python -m backend doctor`.")
    return Figure("Backend: start to ready", statistics.median(seconds[1:]), "s", at_most=MOST_SECONDS_TO_READY)


def finished(command: Sequence[str], **variables: str) -> str:
    """What a process with these environment variables prints. Raises `BenchError` where it fails."""
    environment = os.environ | variables
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise BenchError(f"{' '.join(command[2:4])} does not run: {last[0]}")
    return done.stdout
