# SPDX-License-Identifier: GPL-3.0-or-later
"""One model on one sound in a process of its own: ``python -m backend.bench.child MODEL SOUND DEVICE``.

It does what ``generate`` does, without writing a file, and prints one line of JSON. Its peak of memory is nobody
else's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(model: Path, sound: Path, where: str) -> dict[str, float]:
    """Seconds until the model is there, until its first frames and until its last; their number; bytes at most."""
    from backend import checkpoint, machine, pipeline, planning, precision
    from backend.sound import Sound

    machine.suit_machine()
    began = time.perf_counter()
    loaded = precision.ready(checkpoint.load(model), where)
    planned = planning.plan(loaded, planning.Request())
    here = time.perf_counter()
    frames, first = 0, 0.0
    for chunk in pipeline.generate(loaded, Sound(sound), planned):
        first = first or time.perf_counter() - here
        frames += len(chunk.values)
    whole = time.perf_counter() - here
    peaks = {"peak": peak_bytes(), "card": card_bytes(where)}
    return {"load": here - began, "first": first, "whole": whole, "frames": frames} | peaks


def peak_bytes() -> float:
    """The most memory that this process has had; NaN where the system does not tell."""
    if sys.platform == "linux":  # getrusage would count what the process that started this one had
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    if sys.platform == "darwin":
        import resource

        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return float("nan")


def card_bytes(where: str) -> float:
    """The most that torch has held of a graphics card's memory; 0 elsewhere."""
    import torch

    return float(torch.cuda.max_memory_reserved()) if where == "cuda" else 0.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])) + "\n")
