# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about commands names all options that there are, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "headless.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


@pytest.fixture
def options(addon, capfd):
    def options(command: str) -> set[str]:
        assert addon.cli.run([command, "--help"]) == 0
        return set(OPTION.findall(capfd.readouterr().out))

    return options


def test_the_table_has_every_option_of_generate(options):
    rows = [line for line in PAGE.partition("## Many shots")[0].splitlines() if line.startswith("| `--")]
    named = {option for row in rows for option in OPTION.findall(row.split("|")[1])}
    assert named == options("generate") - {"--help", "--command"}


def test_commands_on_the_page_have_the_options_that_are_shown(options):
    shown = re.findall(r"--command mouthpiece ([a-z-]+)([^\n`]*)", PAGE)
    assert {command for command, _ in shown} == {"generate", "batch", "export-clip"}
    for command, words in shown:
        assert set(OPTION.findall(words)) <= options(command), command
