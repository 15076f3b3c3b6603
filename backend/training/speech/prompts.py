# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts: sentences for the speech engines, composed from `configs/prompts.toml`."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from random import Random

from .effort import Effort

PROMPTS = Path(__file__).parents[2] / "configs" / "prompts.toml"
_SLOT = re.compile(r"\{(\w+)\}")
_ONSETS = ("b", "p", "m", "f", "v", "w", "d", "t", "n", "l", "s", "k", "g", "r", "sh", "j", "bl", "pr", "st", "sm", "")
_NUCLEI = ("a", "e", "i", "o", "u", "oo", "ee", "ai", "ow")
_CODAS = ("", "", "", "m", "p", "b", "n", "f", "l", "s", "mp", "t", "k")


def compose(language: str, random: Random, effort: Effort = "plain") -> str:
    """One sentence of `language` (a table of the prompts file); equal random states give equal sentences.

    What people whisper or shout comes from templates for that, where the language has some, else from the plain ones.
    """
    lists = _languages()[language]
    templates = lists.get(effort, lists["templates"])

    def fill(slot: re.Match[str]) -> str:
        match slot.group(1):
            case "number":
                return str(random.randrange(2, 10 ** random.randint(1, 4)))
            case "nonsense":
                return " ".join(_nonsense(random) for _ in range(random.randint(1, 2)))
            case name:
                return random.choice(lists[name])

    sentence = _SLOT.sub(fill, random.choice(templates))
    return sentence[:1].upper() + sentence[1:]


def _nonsense(random: Random) -> str:
    """A made-up word of two or three syllables: contexts that no real word has."""
    syllables = random.randint(2, 3)
    middle = "".join(random.choice(_ONSETS) + random.choice(_NUCLEI) for _ in range(syllables))
    return middle + random.choice(_CODAS)


@functools.cache
def _languages() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(PROMPTS.read_text(encoding="utf-8"))
