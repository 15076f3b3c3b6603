# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on adds to the start of Blender, measured in the middle of one.

A Blender whose user has enabled the add-on starts as always, with nothing in memory but what it loads itself; a script
among that user's looks at the clock before and behind the add-on's turn. Modules of Python's own library that nobody
else needs count with it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
from pathlib import Path

from .layout import ROOT

ENABLE = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import bpy
from demo import extension
extension.enable(Path({str(ROOT)!r}), Path(sys.argv[-1]))
bpy.ops.wm.save_userpref()
"""
STOPWATCH = """
import sys, time
import addon_utils

def timed(module_name, *arguments, enable=addon_utils.enable, **options):
    loaded, began = set(sys.modules), time.process_time()
    module = enable(module_name, *arguments, **options)
    if module_name.endswith(".mouthpiece"):
        taken = time.process_time() - began
        print("startup", taken, *sorted(set(sys.modules) - loaded), flush=True)
    return module

addon_utils.enable = timed

def register():
    pass
"""


def prepare(blender: str, home: Path) -> None:
    """Make `home` the folder of a user who has enabled the add-on of this checkout."""
    scripts = home / "scripts" / "startup"
    scripts.mkdir(parents=True)
    _start(blender, home, "--python-expr", ENABLE, "--", str(home / "checkout"))
    (scripts / "stopwatch.py").write_text(STOPWATCH, "utf-8")


def started(blender: str, home: Path) -> tuple[float, set[str]]:
    """One start: seconds of processor time that the add-on takes of it, and the names of the modules that it loads."""
    told = next(line for line in _start(blender, home).splitlines() if line.startswith("startup "))
    _, seconds, *modules = told.split()
    return float(seconds), set(modules)


def seconds(blender: str, home: Path, runs: int) -> float:
    """The median of some starts, after one that may have to compile."""
    return statistics.median([started(blender, home)[0] for _ in range(runs + 1)][1:])


def _start(blender: str, home: Path, *arguments: str) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables["BLENDER_USER_RESOURCES"] = str(home)
    command = [blender, "-b", "--python-exit-code", "1", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout
