# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender (named in BLENDER), which has installed the package into a profile of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NO_SPLASH = "import bpy; bpy.context.preferences.view.show_splash = False; bpy.ops.wm.save_userpref()"


@dataclass(frozen=True)
class Blender:
    """The application with the extension in it."""

    program: str
    environment: dict[str, str]

    def run(self, *arguments: object, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        command = [self.program, *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT
        )

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [self.program, *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True, cwd=ROOT)


@pytest.fixture(scope="session")
def archive() -> Path:
    """The newest package."""
    found = sorted((ROOT / "dist").glob("mouthpiece-*.zip"), key=lambda path: path.stat().st_mtime)
    assert found, "there is no package: run `make package` first"
    return found[-1]


@pytest.fixture(scope="session")
def blender(archive, tmp_path_factory) -> Blender:
    program = os.environ.get("BLENDER")
    if not program:
        pytest.skip("name a Blender program in BLENDER to test in it")
    folder = tmp_path_factory.mktemp("profile")
    python = os.environ.get("MOUTHPIECE_BACKEND_PYTHON", sys.executable)
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(folder), "MOUTHPIECE_BACKEND_PYTHON": python}
    blender = Blender(program, environment)
    assert blender.run("-b", "--python-expr", NO_SPLASH).returncode == 0
    installed = blender.run("--command", "extension", "install-file", "-r", "user_default", "-e", archive)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "Error" not in installed.stdout, installed.stdout
    return blender


@pytest.fixture(scope="session")
def window(blender) -> Blender:
    """The same Blender with a window on a virtual screen."""
    program = os.environ.get("BLENDER_WINDOW", f"{blender.program}-window")
    if not Path(program).exists():
        pytest.skip("name a Blender that opens a window in BLENDER_WINDOW to test in it")
    return Blender(program, blender.environment)


@pytest.fixture(scope="session")
def speech() -> Path:
    return ROOT / "demo" / "speech" / "demo.flac"


@pytest.fixture(scope="session")
def make_shot(blender, speech, tmp_path_factory) -> Callable[[], Path]:
    """A new copy of the shot, made by the real Blender."""

    def make_shot() -> Path:
        path = tmp_path_factory.mktemp("shot") / "shot ä.blend"
        made = blender.run("-b", "--python-exit-code", 1, "--python", HERE / "shot.py", "--", "make", path, speech)
        assert made.returncode == 0, made.stderr
        return path

    return make_shot
