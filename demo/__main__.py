# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo``: one spoken line in, a talking head out.

Runs in the backend's environment. Blender's part (`demo.shot`: the real add-on, a real backend process, the render) is
a process of its own in the environment that has the bpy module; the pictures are drawn here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from . import contact_sheet, curves, moving_picture, part
from .layout import OUTPUT, SPEECH
from .line import read_line


def draw(output: Path) -> list[Path]:
    """The pictures: curves over the waveform, the frames that belong to telling sounds, and all of it in motion."""
    line, keys, frames = read_line(SPEECH), curves.read_keys(output / "keys.npz"), output / "frames"
    return [
        curves.draw(keys, line.samples, line.rate, line.phones, output / "curves.png"),
        contact_sheet.draw(frames, keys, line.phones, output / "contact_sheet.jpg"),
        moving_picture.draw(frames, keys, line, output / "talking.webp"),
    ]


def main() -> int:
    """Make everything in ``out/demo`` and tell where it is."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="One spoken line in, a talking head out.")
    parser.add_argument("--size", type=int, default=720, help="width and height of the video in pixels")
    parser.add_argument("--samples", type=int, default=3, help="render samples per pixel")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    chosen = parser.parse_args()
    output = chosen.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    part.run("demo.shot", output, "--size", chosen.size, "--samples", chosen.samples)
    pictures = draw(output)
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    sys.stdout.write(f"\n{report['sentence']}\n\n")
    for path in (output / "demo.mp4", output / "demo.blend", *pictures):
        sys.stdout.write(f"  {path}\n")
    sys.stdout.write(f"\nDone in {time.monotonic() - started:.0f} s. Open the video, or the .blend in Blender.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
