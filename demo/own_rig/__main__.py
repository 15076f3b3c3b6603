# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo-own-rig``: a head with eight sliders of its own learns to speak from a few minutes of animation.

Speech is synthesized, an animator by rule keys the sliders, the add-on exports training clips, the shipped model gets
a head for the sliders, and the add-on lets it speak lines that it has not seen.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from backend.phonetics.phones import Phone
from demo.layout import BACKEND_PYTHON, BLENDER_PYTHON, ROOT

from . import figures, lines, picture
from .animator import animate
from .lines import FRAMES_PER_SECOND, STRANGER, Line

VOICES = Path(__file__).with_name("voices.toml")
OUTPUT = ROOT / "out" / "own_rig"
SPACE = "demo_sliders"
KEPT_BACK = 5
"""Of how many lines of a voice one is not taught."""
SEED = 7


def main() -> int:
    """Make everything, step by step, and tell what came of it."""
    parser = argparse.ArgumentParser(prog="python -m demo.own_rig", description="A head learns its own eight sliders.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the results")
    parser.add_argument("--quick", action="store_true", help="a few lines and steps: shows the way, teaches little")
    chosen = parser.parse_args()
    folder = chosen.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    animate_lines(folder, scale=0.1 if chosen.quick else 1.0)
    blender(folder, "export")
    seconds = teach(folder, epochs=20 if chosen.quick else 0)
    blender(folder, "generate", "--model", folder / f"{SPACE}.safetensors")
    tell(folder, seconds, time.monotonic() - began)
    return 0


def animate_lines(folder: Path, scale: float) -> None:
    """Let speech engines say the lines, and the animator key them at 24 frames per second."""
    speech = folder / "speech"
    backend("synthesize", speech, "--config", VOICES, "--seed", SEED, "--scale", scale)
    made: list[Line] = []
    for recording in recordings(speech):
        name = Path(recording["audio"]).stem
        voice, _, number = name.rpartition("-")
        frames = int(recording["duration"] * FRAMES_PER_SECOND)
        is_taught = voice != STRANGER and int(number) % KEPT_BACK != KEPT_BACK - 1 and int(number) > 0
        made.append(Line(name, str(speech / recording["audio"]), voice, is_taught, frames))
        keys = animate([Phone(*phone) for phone in recording["phones"]], recording["alphabet"])
        poses = keys.at(np.arange(frames) / FRAMES_PER_SECOND).astype(np.float32)
        lines.write_values(folder / lines.POSES, name, poses)
    lines.write(folder, made)


def recordings(speech: Path) -> list[dict[str, Any]]:
    """The lines of a corpus's manifest, in the order of their names."""
    manifest = (speech / "manifest.jsonl").read_text(encoding="utf-8")
    return sorted(map(json.loads, manifest.splitlines()), key=lambda recording: recording["audio"])


def teach(folder: Path, epochs: int) -> float:
    """What a studio does with the exported clips: `prepare`, then `train`; gives the seconds of training."""
    backend("prepare", "--layout", "clips", folder / "clips", "--output", folder / "sets")
    began = time.monotonic()
    short = ("--set", f"schedule.epochs={epochs}") if epochs else ()
    where = ("--run", folder / "run", "--output", folder / f"{SPACE}.safetensors")
    backend("train", "--from", "default", "--space", SPACE, "--data", folder / "sets", *where, *short)
    return time.monotonic() - began


def tell(folder: Path, taught_in: float, took: float) -> None:
    """The figures, as a table and as a file, and the picture of one line."""
    every = lines.read(folder)
    poses, spoken = (lines.read_values(folder / name) for name in (lines.POSES, lines.SPOKEN))
    table = figures.measure(every, poses, spoken)
    shown = next(line for line in every if line.name in spoken and line.voice != STRANGER)
    samples, rate = soundfile.read(shown.sound, dtype="float32")
    path = picture.draw(samples, rate, poses[shown.name], spoken[shown.name], folder / "own_rig.png")
    plain = {group: {name: asdict(row) for name, row in rows.items()} for group, rows in table.items()}
    (folder / "figures.json").write_text(json.dumps(plain, indent=1), encoding="utf-8")
    taught = [line for line in every if line.is_taught]
    minutes = sum(line.frames for line in taught) / FRAMES_PER_SECOND / 60
    sys.stdout.write(f"{figures.text(table)}\n\nTaught with {len(taught)} lines, {minutes:.1f} minutes.\n\n")
    for result in (path, folder / f"{SPACE}.safetensors", folder / "spoken.blend"):
        sys.stdout.write(f"  {result}\n")
    sys.stdout.write(f"\nDone in {took:.0f} s, of which training took {taught_in:.0f} s.\n")


def backend(*words: object) -> None:
    """Run a command of the backend."""
    run(BACKEND_PYTHON, "-m", "backend", *words)


def blender(folder: Path, step: str, *words: object) -> None:
    """Run Blender's part of the demo."""
    run(BLENDER_PYTHON, "-m", "demo.own_rig.shots", step, folder, *words)


def run(*command: object) -> None:
    """Run a process whose messages are the user's to see; its failure is ours."""
    finished = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=sys.stderr, check=False)
    if finished.returncode:
        raise SystemExit(f"error: {' '.join(map(str, command[1:4]))} failed; its last words are above.")


if __name__ == "__main__":
    sys.exit(main())
