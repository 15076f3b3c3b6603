# SPDX-License-Identifier: GPL-3.0-or-later
"""``models``: lists the models that are known."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import terminal

if TYPE_CHECKING:
    from backend.catalogue import Entry

MANY = 12
"""More identities than this are not written out; --json has them all."""


def add_arguments(parser: ArgumentParser) -> None:
    terminal.add_model_folders(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: Namespace) -> int:
    """List them; a file that looks like a model and is none is complained about and makes the exit code 1."""
    from backend import catalogue

    with terminal.bad_input(catalogue.CatalogueError):
        listing = catalogue.listing(arguments.models)
    if arguments.json:
        terminal.say(json.dumps([_plain(entry) for entry in listing.entries], indent=2, ensure_ascii=False))
    else:
        for entry in listing.entries:
            _describe(entry)
    for problem in listing.problems:
        terminal.complain(problem)
    return 1 if listing.problems else 0


def _describe(entry: Entry) -> None:
    terminal.say(f"{entry.name}: {entry.card.title}")
    terminal.say(f"  face spaces  {', '.join(entry.spaces)}")
    terminal.say(f"  identities   {_people(entry.identities)}")
    if entry.steps:
        terminal.say(f"  takes        up to {entry.most_takes}, in {entry.steps} denoising steps")
    if entry.emotions:
        terminal.say(f"  emotions     {', '.join(entry.emotions)}")
    terminal.say(f"  size         {entry.bytes / 1e6:.1f} MB")
    terminal.say(f"  licence      {entry.card.licence}")
    terminal.say(f"  file         {entry.path}")


def _people(names: Sequence[str]) -> str:
    from backend import identities

    shown = list(identities.labels(names))
    if len(shown) <= MANY:
        return ", ".join((*shown, "pivot"))
    return ", ".join((*shown[:3], "…", shown[-1], f"pivot (--json names all {len(shown)})"))


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.card.title,
        "spaces": entry.spaces,
        "identities": entry.identities,
        "takes": entry.most_takes,
        "steps": entry.steps,
        "emotions": entry.emotions,
        "bytes": entry.bytes,
        "licence": entry.card.licence,
        "path": str(entry.path),
    }
