# SPDX-License-Identifier: GPL-3.0-or-later
"""A client to be killed: ``python client.py KIND ...`` starts a backend, prints its number, and has a job done.

``a small client COMMAND...`` speaks the protocol itself; ``Blender BLEND`` opens a file and generates as a click would,
and ``Blender once BLEND`` then counts the keys and leaves.
Its lines begin with ``>``: ``begun``, and then the kind of each message or stage that comes.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))


def say(line: object) -> None:
    sys.stdout.write(f"> {line}\n")
    sys.stdout.flush()


def small(command: list[str]) -> None:
    from backend import protocol

    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    say(child.pid)
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).integers(-9000, 9000, 16_000 * 600, dtype=np.int16).tobytes())
    content = np.frombuffer(sound.getvalue(), np.uint8)
    protocol.write(child.stdin, protocol.Generate(1, content, 0.0, 600.0, "default", "", 24.0))
    say("begun")
    while (message := protocol.read(child.stdout)) is not None:
        say(type(message).__name__)


def blender(blend: str, once: bool) -> None:
    import bpy

    from demo import extension
    from tests.addon.stage import curves_of

    package = extension.enable(ROOT, Path(tempfile.mkdtemp(dir=Path(blend).parent)))
    bpy.ops.wm.open_mainfile(filepath=blend)
    modules = sys.modules
    session = modules[f"{package}.blender_addon.session"].Session()
    choice = modules[f"{package}.blender_addon.interface.properties"].choice(bpy.context)
    launch = modules[f"{package}.blender_addon.preferences"].launch()
    job = modules[f"{package}.blender_addon.job"].Generation(choice, launch, session)
    say(session._backend._child.pid)
    say("begun")
    while not job.advance(0.01):
        say({"queued": "Progress", "loading": "Progress", "animating": "Frames"}.get(session.stage, session.stage))
        time.sleep(0.01)
    job.apply()
    say("end")
    if once:
        say(f"keys {sum(len(points) for action in bpy.data.actions for points in curves_of(action).values())}")
        session.close()
        extension.disable()
    else:
        time.sleep(60)


if __name__ == "__main__":
    small(sys.argv[2:]) if sys.argv[1] == "a small client" else blender(sys.argv[2], sys.argv[1] == "Blender once")
