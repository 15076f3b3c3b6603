# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are called who choose a style: labels for the identities that a model file names. Standard library only.

Files keep the names that training gave them, such as ``speakers/espeak-en-us+Alicia``; a list shows *Alicia (espeak,
en-us)*. Whatever takes an identity takes both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_VOICE = re.compile(r"(espeak|flite|festival)-(?:(.+)\+)?(.+)")
"""A voice of a speech engine, as `training.speech.synthesize` names it: engine, language, what the voice is called."""


def label(name: str) -> str:
    """What an identity is called in a list: who speaks, and in brackets where that voice comes from."""
    data_set, _, speaker = name.rpartition("/")
    if voice := _VOICE.fullmatch(speaker):
        engine, language, called = voice.groups()
        return f"{called[0].upper()}{called[1:].replace('_', ' ')} ({', '.join(filter(None, (engine, language)))})"
    if not data_set or speaker.isdecimal():
        return name
    return f"{speaker} ({data_set})"


def labels(names: Sequence[str]) -> dict[str, str]:
    """The name behind each label, in the order of the alphabet; where two names had one label, they keep their own."""
    often = Counter(map(label, names))
    shown = {label(name) if often[label(name)] == 1 else name: name for name in names}
    return dict(sorted(shown.items(), key=lambda item: _alphabetical(item[0])))


def _alphabetical(text: str) -> list[tuple[int, str]]:
    """Without regard to capitals, and numbers by their size: D0/9 before D0/10."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
