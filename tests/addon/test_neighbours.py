# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Blenders of one user at once: each has a backend and a log of its own, and neither disturbs the other."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone

ROOT = Path(__file__).resolve().parents[2]

BLENDER = """
import importlib, sys
sys.path.insert(0, {root!r})
import bpy
from pathlib import Path
from demo import extension
bpy.ops.wm.open_mainfile(filepath={blend!r})
package = extension.enable(Path({root!r}), Path({folder!r}))
part = lambda name: importlib.import_module(package + ".blender_addon." + name)
part("environment").serve_command = lambda *_: (sys.executable, {fake!r}, "clicks")
part("preferences")._user_folder = lambda: Path({user!r})
session = part("session").current
bpy.context.scene.mouthpiece.strip = "line"
bpy.context.scene.mouthpiece.character = bpy.data.objects["Head"]
for order in sys.stdin:
    if order.strip() == "start":
        bpy.ops.mouthpiece.check_backend()
        print("said", session._backend._child.pid, session.log_file, flush=True)
    elif order.strip() == "speak":
        bpy.ops.mouthpiece.generate()
        print("said", session.message, flush=True)
    else:
        break
extension.disable()
"""


class Neighbour:
    """A Blender that does what it is told."""

    def __init__(self, command: list[str], log: Path) -> None:
        variables = os.environ | {"MOUTHPIECE_BACKEND_PYTHON": sys.executable}
        with log.open("wb") as errors:
            self.child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables
            )

    def ask(self, order: str) -> str:
        """Its answer, among what Blender prints by itself."""
        self.child.stdin.write(f"{order}\n")
        self.child.stdin.flush()
        return next(line for line in self.child.stdout if line.startswith("said ")).removeprefix("said ").strip()


@pytest.fixture
def start_blender(scene, tmp_path) -> Iterator[Callable[[str], Neighbour]]:
    """Starts Blenders with a shot of two seconds, all with the same user's folder."""
    add_strip(scene, tone(tmp_path / "line.wav", 2.0, (0.5,)))
    add_character()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    (tmp_path / "user").mkdir()
    started: list[Neighbour] = []

    def start(name: str) -> Neighbour:
        fake, user = str(Path(__file__).with_name("fake_backend.py")), str(tmp_path / "user")
        places = {"root": str(ROOT), "blend": bpy.data.filepath, "folder": str(tmp_path / name), "fake": fake}
        script = BLENDER.format(**places, user=user)
        application = [bpy.app.binary_path, "-b", "--factory-startup", "--python-expr"]
        blender = application if bpy.app.binary_path else [sys.executable, "-c"]
        started.append(Neighbour([*blender, script], tmp_path / f"{name}.log"))
        return started[-1]

    yield start
    for one in started:
        one.child.kill()
        one.child.wait()


def test_two_blenders_speak_at_once_and_outlive_each_other(start_blender):
    one, other = start_blender("one"), start_blender("other")
    (one_pid, one_log), (other_pid, other_log) = (blender.ask("start").split(" ", 1) for blender in (one, other))
    assert one_pid != other_pid
    assert one_log != other_log
    assert Path(one_log).parent == Path(other_log).parent
    assert one.ask("speak") == other.ask("speak") == "“Head” speaks: 3 shape keys, frames 1 to 48."
    one.child.kill()
    one.child.wait()
    assert other.ask("start").split(" ", 1)[0] == other_pid, "it lost its backend with the other Blender"
    assert other.ask("speak") == "“Head” speaks: 3 shape keys, frames 1 to 48."
