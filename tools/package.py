# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds and validates ``dist/mouthpiece-VERSION.zip`` with Blender's own extension tool, then checks what is in it.

Runs in the environment that has the bpy module; no Blender application is needed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import package_pages

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"

NEEDED = {
    "blender_manifest.toml",
    "__init__.py",
    "LICENSE",
    "README.md",
    "blender_addon/__init__.py",
    "backend/__init__.py",
    "backend/__main__.py",
    "backend/protocol.py",
    "backend/weights/default.safetensors",
    "backend/weights/diffusion.safetensors",
    "pyproject.toml",
    "constraints.txt",
    "backend/requirements.lock",
    "backend/torch.lock",
    "rigs/arkit.json",
    "rigs/demo_head.npz",
    "rigs/schema.json",
    "farm/flamenco/mouthpiece_lip_sync.js",
    "demo/speech/demo.flac",
}
ROOMS = ("blender_addon/", "backend/", "rigs/", "farm/", "demo/speech/")
ROOT_FILES = {
    "blender_manifest.toml",
    "__init__.py",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "constraints.txt",
}
SUFFIXES = {".py", ".toml", ".json", ".npz", ".safetensors", ".md", ".txt", ".lock", ".js", ".flac", ""}
LARGEST_BYTES = 30_000_000


def extension_tool() -> Path:
    """Blender's own command-line tool for extensions, which comes with the module."""
    import bpy

    for scripts in bpy.utils.script_paths():
        tool = Path(scripts) / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
        if tool.is_file():
            return tool
    raise FileNotFoundError("this bpy module carries no blender_ext.py")


def run(tool: Path, *arguments: str) -> None:
    """Run the extension tool; its messages go to the terminal."""
    subprocess.run([sys.executable, str(tool), *arguments], check=True)


def complaints(archive: Path) -> list[str]:
    """What is wrong with the content of the archive; empty when it is fit to ship."""
    with zipfile.ZipFile(archive) as content:
        names = {name for name in content.namelist() if not name.endswith("/")}
        unpacked = sum(entry.file_size for entry in content.infolist())
        pages = {name: content.read(name).decode("utf-8") for name in names if name.endswith(".md")}
    found = [f"{name} is missing" for name in sorted(NEEDED - names)]
    for name in sorted(names):
        path = PurePosixPath(name)
        if len(path.parts) == 1 and name not in ROOT_FILES:
            found.append(f"{name} does not belong in the root")
        elif len(path.parts) > 1 and not name.startswith(ROOMS):
            found.append(f"{name} lies outside of {', '.join(ROOMS)}")
        elif path.suffix not in SUFFIXES or path.name == "ruff.toml":
            found.append(f"{name} is no file that users need")
    for name, text in pages.items():
        found += [
            f"{name} leads to {target}, which is not in it" for target in package_pages.dead_links(name, text, names)
        ]
    if unpacked > LARGEST_BYTES:
        found.append(f"{unpacked} bytes unpacked, at most {LARGEST_BYTES} are allowed")
    return found


def main() -> int:
    """Build, validate, check; 1 with one line per complaint."""
    DIST.mkdir(exist_ok=True)
    tool = extension_tool()
    run(tool, "build", "--source-dir", str(ROOT), "--output-dir", str(DIST))
    archive = max(DIST.glob("mouthpiece-*.zip"), key=lambda path: path.stat().st_mtime)
    package_pages.finish(archive)
    run(tool, "validate", str(archive))
    found = complaints(archive)
    sys.stderr.writelines(f"error: {archive.name}: {line}\n" for line in found)
    if not found:
        sys.stdout.write(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
