# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation points at is there: links, pictures, files, make targets, commands and their options."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from backend.__main__ import LINES, main

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "backend/weights/README.md"]
ids = [str(page.relative_to(ROOT)) for page in PAGES]
MADE = ("out/", "dist/", "runs/", "bin/")
"""Beginnings of paths that commands make."""
OURS = ("backend/", "blender_addon/", "demo/", "docs/", "rigs/", "tests/", "tools/", "configs/")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_files_that_are_named_exist(page: Path):
    named = set(re.findall(r"`([\w./*-]+?)`", page.read_text(encoding="utf-8")))
    paths = [name for name in named if name.startswith(OURS) and "…" not in name]
    missing = [path for path in paths if not any(exists(folder, path) for folder in (ROOT, ROOT / "backend"))]
    assert not missing


def exists(folder: Path, path: str) -> bool:
    return any(folder.glob(path)) if "*" in path else (folder / path).exists()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_make_targets_exist(page: Path):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    said = set(re.findall(r"(?:^|`)make ([a-z][\w-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert said <= targets


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_exist(page: Path):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for command, words in re.findall(r"(?:-m backend|^mouthpiece|`mouthpiece) ([a-z]+)([^\n`|]*)", text, re.MULTILINE):
        assert command in LINES, command
        options = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", words.partition("#")[0]))
        assert options <= options_of(command), command


def options_of(command: str) -> set[str]:
    """The options of one command, as its help tells them."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit):
        main([command, "--help"])
    return set(re.findall(r"(?<![\w-])--[a-z][\w-]*", output.getvalue()))
