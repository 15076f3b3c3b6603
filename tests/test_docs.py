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
DOCS = sorted(ROOT.glob("docs/*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS, *sorted(ROOT.glob("backend/weights/*.md"))]
ids = [str(page.relative_to(ROOT)) for page in PAGES]
OURS = ("backend/", "blender_addon/", "demo/", "docs/", "rigs/", "tests/", "tools/", "configs/")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_anchors_are_headings(page: Path):
    """Of this page or of another one of ours, spelled as GitHub spells them."""
    targets = re.findall(r"\]\(([^):]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    there = {name: anchors(page.parent / name if name else page) for name, _ in targets}
    assert not [(name, anchor) for name, anchor in targets if anchor not in there[name]]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_page_leads_to_every_other():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in DOCS if f"](docs/{page.name}" not in readme]


@pytest.mark.parametrize("page", DOCS, ids=[page.name for page in DOCS])
def test_every_page_begins_with_a_title_and_what_it_is_for(page: Path):
    title, empty, first = page.read_text(encoding="utf-8").splitlines()[:3]
    assert title.startswith("# ") and not empty
    assert first and not first.startswith(("|", "!", "#", "<", "```"))


def test_every_picture_is_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [path.name for path in (ROOT / "docs" / "images").iterdir() if f"images/{path.name})" not in text]


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
