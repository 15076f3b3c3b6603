# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's part of ``make bench``: start-up cost of the add-on, click to keys, keys per second.

Runs on the bpy module; with a Blender named in BLENDER, the start-up cost is that of the real application.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from . import extension
from .layout import BACKEND_PYTHON, ROOT

RUNS = 5
SECONDS = 10
RATE = 16000
SHAPE_KEYS, FRAMES, INSERTED = 52, 6000, 2000
MOST_STARTUP, MOST_CLICK = 0.030, 1.0
TELL = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from demo import bench; bench.tell_startup()"


def main() -> int:
    """Measure everything and print a table like the backend's."""
    os.environ.setdefault("MOUTHPIECE_BACKEND_PYTHON", str(BACKEND_PYTHON))
    first = "Add-on: processor time that it adds to Blender's start"
    rows: list[tuple[str, float, float | None]] = [(first, startup(), MOST_STARTUP)]
    with tempfile.TemporaryDirectory() as folder:
        package = extension.enable(ROOT, Path(folder) / "extensions")
        try:
            cold, warm = click_to_keys(Path(folder))
            ours, blenders = keys_per_second(package)
        finally:
            extension.disable()
    rows.append((f"Click to keys, {SECONDS} s of sound, the first time (starts the backend)", cold, None))
    rows.append((f"Click to keys, {SECONDS} s of sound, warm", warm, MOST_CLICK))
    sys.stdout.write(f"\nBlender {bpy.app.version_string}\n\n|  | value | goal |\n| --- | --- | --- |\n")
    for name, seconds, most in rows:
        goal = "" if most is None else f"≤ {most:g}{'' if seconds <= most else ': missed'}"
        sys.stdout.write(f"| {name} | {seconds:.3g} s | {goal} |\n")
    sys.stdout.write(f"| Keys written | {ours:,.0f} /s |  |\n")
    sys.stdout.write(f"| Keys written / keyframe_insert | {ours / blenders:.0f} x |  |\n")
    return 0


def startup() -> float:
    """Median seconds of processor time that enabling the add-on takes in a Blender that has just started."""
    blender = os.environ.get("BLENDER")
    command = [blender, "-b", "--factory-startup", "--python-expr", TELL] if blender else [sys.executable, "-c", TELL]
    taken = []
    for _ in range(RUNS + 1):  # the first may have to compile
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        taken.append(next(float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("startup ")))
    return statistics.median(taken[1:])


def tell_startup() -> None:
    """Print what enabling the add-on takes here and now."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = extension.enable_timed(ROOT, Path(folder))
        extension.disable()
    sys.stdout.write(f"startup {seconds}\n")
    sys.stdout.flush()


def click_to_keys(folder: Path) -> tuple[float, float]:
    """Seconds from the click on Generate Lip Sync to keys on the demo head: the first time, and warm (median)."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    bpy.ops.mouthpiece.add_demo_head()
    strip = scene.sequence_editor_create().strips.new_sound("line", str(babble(folder / "line.wav")), 1, 1)
    scene.mouthpiece.strip, scene.mouthpiece.character = strip.name, bpy.context.view_layer.objects.active
    taken = [timed(bpy.ops.mouthpiece.generate) for _ in range(RUNS + 2)]
    return taken[0], statistics.median(taken[2:])  # the second loads what the first has not needed yet


def keys_per_second(package: str) -> tuple[float, float]:
    """Keys that the add-on writes in a second of processor time, and those of Blender's own keyframe_insert."""
    ledger, options, staging, take, targets = (
        importlib.import_module(f"{package}.blender_addon.{name}")
        for name in ("writing.ledger", "writing.options", "writing.staging", "writing.take", "rig.targets")
    )
    key, values = character().data.shape_keys, np.random.default_rng(0).random(FRAMES, np.float32)
    record = ledger.Record("line", "Head", "default", "arkit", "pivot", 1.0, "0", 1, FRAMES, 24.0, ())
    curves = [
        targets.Curve(key, block.path_from_id("value"), 0, values, (0.0, 1.0), frozenset())
        for block in list(key.key_blocks)[1:]
    ]
    writing = staging.Writing([take.Take.of(record, curves)], options.WritingOptions())
    began = time.process_time()
    while not writing.advance():
        pass
    writing.commit()
    ours = SHAPE_KEYS * FRAMES / (time.process_time() - began)
    block = character().data.shape_keys.key_blocks[1]
    began = time.process_time()
    for frame, value in enumerate(values[:INSERTED].tolist(), 1):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    return ours, INSERTED / (time.process_time() - began)


def character() -> bpy.types.Object:
    """A triangle with as many shape keys as ARKit has."""
    mesh = bpy.data.meshes.new("Head")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    head = bpy.data.objects.new("Head", mesh)
    bpy.context.scene.collection.objects.link(head)
    for number in range(SHAPE_KEYS + 1):
        head.shape_key_add(name=f"shape {number}")
    return head


def babble(path: Path) -> Path:
    """A sound file with noise that comes and goes like syllables."""
    moments = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(moments))
    samples = noise * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * moments))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
