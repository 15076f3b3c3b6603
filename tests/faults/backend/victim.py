# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that reads damaged files: ``python victim.py`` takes a JSON line ``[kind, path]`` and answers with one.

It may not take 4 GB more address space than it begins with, and tells the peak of its memory for each file: what a file
makes a reader ask for shows either way. A file that ends the process is the last one it was given.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from backend import audio, checkpoint, motion_file, pipeline, planning  # noqa: E402
from backend.foreign import convert, flame_file, official_files  # noqa: E402

CASE = ROOT / "tests" / "data" / "golden" / "case1_wavlm_conv_pos1_pca"
SENTENCES = (
    audio.AudioError,
    checkpoint.CheckpointError,
    convert.ConvertError,
    flame_file.FlameFileError,
    motion_file.MotionFileError,
    planning.RequestError,
)
ALLOWED = 4 << 30


def read_model(path: Path) -> None:
    """A model that is still whole has to speak, too."""
    loaded = checkpoint.load(path)
    silence = torch.zeros(8000).numpy()
    for space in loaded.spaces:
        for _ in pipeline.generate(loaded, silence, planning.plan(loaded, planning.Request(space))):
            pass


def read_official(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        convert.convert(path, Path(folder, "model.safetensors"), config=CASE / "config.json", pca=CASE / "pca")


def read_sound(path: Path) -> None:
    """As the command line reads it, and as the server does."""
    audio.decode(path.read_bytes(), 0.25, 1.0)
    audio.decode(path)


def read_basis(path: Path) -> None:
    dim = json.loads((CASE / "config.json").read_text(encoding="utf-8"))["annotations"][path.stem]["dim"]
    official_files.read_basis(path.parent, path.stem, 1, dim)


READERS: dict[str, Callable[[Path], object]] = {
    "model": read_model,
    "official": read_official,
    "flame": flame_file.read,
    "basis": read_basis,
    "motion": motion_file.read,
    "sound": read_sound,
}


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    limit = memory("VmSize") + ALLOWED
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        kind, path = json.loads(line)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before, began = memory("VmRSS"), time.process_time()
        outcome, text = judged(READERS[kind], Path(path))
        about = {"outcome": outcome, "text": text, "peak": memory("VmHWM") - before}
        sys.stdout.write(json.dumps(about | {"seconds": time.process_time() - began}) + "\n")
        sys.stdout.flush()


def judged(reader: Callable[[Path], object], path: Path) -> tuple[str, str]:
    try:
        reader(path)
    except SENTENCES as error:
        return "sentence", str(error)
    except BaseException as error:  # noqa: BLE001 (this is what the test looks for)
        return "crash", repr(error)
    return "read", ""


def memory(name: str) -> int:
    """Bytes, as Linux counts them for this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main()
