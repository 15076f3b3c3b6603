# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of the demo's line in five moods: one take of the model `diffusion` each, at the same moments.

Run in the environment that has bpy, beside the backend's: `python -m demo.moods`.
"""

from __future__ import annotations

import importlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from backend import motion_file
from backend.motion_file import Motion
from demo import extension
from demo.contact_sheet import longest_phones
from demo.head.pictures import FOLDER, Framing, Shoot, save
from demo.layout import BACKEND_PYTHON, ROOT, SPEECH, read_phones

MOODS = ("neutral", "happy", "sad", "angry", "surprised")
SEED = 2
PORTRAIT = Framing(240, 5, 0.197, 0.50, samples=16)
"""As many columns as there are kinds of mouths beside silence."""


def performed(mood: str, folder: Path) -> Motion:
    """What the backend makes of the demo's line in a mood."""
    output = folder / f"{mood}.npz"
    felt = ["--emotion", f"{mood}=1"] if mood != "neutral" else []
    words = ["generate", SPEECH, "--model", "diffusion", "--seed", SEED, *felt, "--output", output]
    subprocess.run([str(BACKEND_PYTHON), "-m", "backend", *map(str, words)], cwd=ROOT, check=True)
    return motion_file.read(output)


def tiles(head: bpy.types.Object) -> Iterator[np.ndarray]:
    """A row for every mood."""
    shoot, shown = Shoot(head, PORTRAIT), longest_phones(read_phones(SPEECH.with_suffix(".json")))
    with tempfile.TemporaryDirectory() as folder:
        for mood in MOODS:
            motion = performed(mood, Path(folder))
            for kind, phone in shown:
                weights = motion.values[round((phone.centre - motion.start) * motion.fps)]
                yield shoot.tile(f"{mood}: {kind}", dict(zip(motion.names, map(float, weights), strict=True)))


def main() -> None:
    """Renders docs/images/diffusion_faces.jpg."""
    with extension.enabled(ROOT) as package:
        addon = importlib.import_module(f"{package}.blender_addon.demo_head")
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        save(list(tiles(addon.build(bpy.context))), PORTRAIT.columns, FOLDER / "diffusion_faces.jpg")


if __name__ == "__main__":
    main()
