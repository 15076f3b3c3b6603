# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the package lead only to what is in it."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"README.md", "CHANGELOG.md", "LICENSE", "backend/weights/README.md", "farm/flamenco/job.js"}


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    about = importlib.util.spec_from_file_location("package_pages", ROOT / "tools" / "package_pages.py")
    assert about and about.loader
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module


def test_links_to_what_is_not_there_become_words_and_pictures_go(pages: ModuleType):
    text = "See [the card](README.md#data), [docs](../../docs/a.md), [net](https://x.org) and ![a face](images/a.png)."
    expected = "See [the card](README.md#data), docs, [net](https://x.org) and ."
    assert pages.fitted("backend/weights/diffusion.md", text, NAMES) == expected
    assert pages.dead_links("backend/weights/diffusion.md", text, NAMES) == ["../../docs/a.md", "images/a.png"]
    assert pages.dead_links("backend/weights/diffusion.md", expected, NAMES) == []


def test_an_archive_gets_its_own_readme_and_keeps_the_rest(pages: ModuleType, tmp_path: Path):
    archive, weights = tmp_path / "mouthpiece.zip", bytes(range(256)) * 9
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("CHANGELOG.md", "Keys ([docs/writing.md](docs/writing.md)).")
        packed.writestr("backend/weights/a.safetensors", weights)
    pages.finish(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["mouthpiece.zip"]
    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == ["CHANGELOG.md", "README.md", "backend/weights/a.safetensors"]
        assert packed.read("CHANGELOG.md") == b"Keys (docs/writing.md)."
        assert packed.read("backend/weights/a.safetensors") == weights
        assert packed.read("README.md").startswith(b"# Mouthpiece")


def test_the_packaged_readme_leads_to_files_of_ours(pages: ModuleType):
    targets = re.findall(r"\]\(([^)]+)\)", pages.README.read_text(encoding="utf-8"))
    assert len(targets) > 3
    assert not [target for target in targets if not (ROOT / target).exists()]
