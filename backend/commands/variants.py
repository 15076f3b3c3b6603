# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``generate`` about spaces and styles: each may be given several times, and one hearing serves all."""

from __future__ import annotations

import itertools
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import terminal
from .terminal import BadInput

if TYPE_CHECKING:
    from backend.checkpoint import LoadedModel
    from backend.planning import Request


@dataclass(frozen=True)
class Variant:
    """One of the motions that are made of a sound."""

    request: Request
    marks: tuple[str, ...] = ()
    """What its file's name says of it; nothing where it is the only one."""

    def file(self, output: Path, take: int | None) -> Path:
        """Where it goes, with the number of its take, if takes were asked for."""
        marks = self.marks if take is None else (*self.marks, f"take{take}")
        return output.with_suffix("".join(f".{mark}" for mark in (*marks, output.suffix.removeprefix("."))))


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--space",
        action="append",
        metavar="NAME",
        help="face space (default: the model's first); may be repeated: NAME.SPACE.npz, …",
    )
    parser.add_argument(
        "--identity",
        action="append",
        metavar="NAME|N|pivot",
        help="whose way of speaking: a name, a row, or pivot (default); may be repeated: NAME.IDENTITY.npz, …",
    )


def add_styles(parser: ArgumentParser) -> None:
    """The options of models that hear how somebody speaks."""
    group = parser.add_argument_group("models that hear a style")
    group.add_argument(
        "--style-from",
        type=Path,
        action="append",
        default=[],
        metavar="AUDIO",
        help="speak in the style of a recording; may be repeated",
    )
    group.add_argument(
        "--style-as",
        choices=("nearest", "heard"),
        default="nearest",
        help="with --style-from: as the identity that is most like it (default), or as it is heard",
    )


def of(arguments: Namespace, request: Request, loaded: LoadedModel) -> list[Variant]:
    """The request in every space and style that was named. Raises `BadInput`."""
    spaces, styles = _each(arguments.space), _styles(arguments, request, loaded)
    several = len(spaces) > 1, len(styles) > 1
    made = [
        Variant(
            replace(styled, space=space),
            tuple(_letters(name) for name, is_told in zip((space, style), several, strict=True) if is_told),
        )
        for space, (style, styled) in itertools.product(spaces, styles)
    ]
    if len({variant.marks for variant in made}) < len(made):
        raise BadInput("Two of the spaces or styles have the same name; name each of them once.")
    for variant in made:
        _check(variant.request, loaded)
    return made


def _each(named: Sequence[str] | None) -> Sequence[str]:
    return named or ("",)


def _styles(arguments: Namespace, request: Request, loaded: LoadedModel) -> list[tuple[str, Request]]:
    """Every style with its name."""
    if not arguments.style_from:
        return [(name, replace(request, identity=name)) for name in arguments.identity or (request.identity,)]
    if arguments.identity:
        raise BadInput("--identity and --style-from both say whose style it is; leave one of them out.")
    return [(recording.stem, _heard(arguments, recording, request, loaded)) for recording in arguments.style_from]


def _heard(arguments: Namespace, recording: Path, request: Request, loaded: LoadedModel) -> Request:
    from backend import audio, identities, planning

    with terminal.bad_input(audio.AudioError, planning.RequestError):
        styled = planning.styled(loaded, request, audio.decode(recording), arguments.style_as)
    if arguments.style_as == "nearest":
        terminal.say(f"{recording} sounds most like {identities.label(styled.identity)}")
    return styled


def _check(request: Request, loaded: LoadedModel) -> None:
    from backend import planning

    with terminal.bad_input(planning.RequestError):
        planning.plan(loaded, request)


def _letters(name: str) -> str:
    """A name as part of a file's."""
    return re.sub(r"[^\w-]+", "_", name)
