# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade of the installed extension leaves the installed backend and the artist's models where they are."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.real_blender.conftest import Blender

WHERE = """
import bpy, sys
name = next(name for name in sys.modules if name.startswith("bl_ext.") and name.endswith(".mouthpiece"))
print("folder", sys.modules[name + ".blender_addon.preferences"].backend_folder())
print("version", __import__("addon_utils").module_bl_info(sys.modules[name])["version"])
"""


@pytest.fixture
def own_blender(blender, tmp_path) -> Blender:
    """The same Blender with a profile that no other test uses."""
    return Blender(blender.program, blender.environment | {"BLENDER_USER_RESOURCES": str(tmp_path / "profile")})


def install(blender: Blender, archive: Path) -> None:
    done = blender.run("--command", "extension", "install-file", "-r", "user_default", "-e", archive)
    assert done.returncode == 0 and "Error" not in done.stdout, done.stdout + done.stderr


def told(done: subprocess.CompletedProcess[str], word: str) -> str:
    return next(line.partition(" ")[2] for line in done.stdout.splitlines() if line.startswith(f"{word} "))


def newer(archive: Path, target: Path) -> Path:
    """The same package with a higher version number."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.rpartition("/")[2] == "blender_manifest.toml":
                content = re.sub(rb'(?m)^version = ".*"$', b'version = "99.0.0"', content)
            new.writestr(entry, content)
    return target


def test_an_upgrade_keeps_the_installed_backend_and_models(own_blender, archive, tmp_path):
    install(own_blender, archive)
    before = own_blender.run("-b", "--python-expr", WHERE)
    environment = Path(told(before, "folder"))
    kept = [environment / "mouthpiece.json", environment.parent / "models" / "mine.safetensors"]
    for file in kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("precious", encoding="utf-8")
    install(own_blender, newer(archive, tmp_path / "newer.zip"))
    after = own_blender.run("-b", "--python-expr", WHERE)
    assert told(after, "version") == "(99, 0, 0)" != told(before, "version")
    assert told(after, "folder") == told(before, "folder")
    assert [file.read_text(encoding="utf-8") for file in kept] == ["precious", "precious"]
