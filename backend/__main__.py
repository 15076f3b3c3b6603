# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``python -m backend COMMAND``, also installed as ``mouthpiece``."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
import warnings
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from typing import NoReturn, Protocol, cast

from . import requirements
from .commands import terminal
from .commands.terminal import BadInput, RunFailed
from .commands.training import TrainingCommand
from .version import version


class Command(Protocol):
    """What the modules of `commands` have in common."""

    def add_arguments(self, parser: ArgumentParser, /) -> None: ...

    def run(self, arguments: Namespace, /) -> int: ...


@dataclass(frozen=True)
class Line:
    """One line of ``--help``."""

    help: str
    in_training: bool = False
    needs_packages: bool = True


LINES = {
    "generate": Line("make facial motion from sound files"),
    "models": Line("list the models that are known"),
    "doctor": Line("say whether the backend can work here, and what to do", needs_packages=False),
    "convert": Line("make a model file from an official UniTalker checkpoint"),
    "serve": Line("answer a client over standard input and output", needs_packages=False),
    "bench": Line("measure speed and memory"),
    "synthesize": Line("make a corpus of synthesized speech with phone times", in_training=True),
    "collect": Line("make a corpus of recordings in Debian packages", in_training=True),
    "unspoken": Line("make a corpus of sounds that nobody speaks in, with music", in_training=True),
    "prepare": Line("make a data set ready for training", in_training=True),
    "train": Line("train a model", in_training=True),
    "average": Line("make one model of several that began alike", in_training=True),
    "distill": Line("make a diffusion model need fewer steps", in_training=True),
    "evaluate": Line("measure a model against recordings", in_training=True),
    "experiments": Line("repeat UniTalker's findings in miniature", in_training=True),
}


class _Parser(ArgumentParser):
    """Usage errors are errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[0].upper()}{message[1:]}; see {self.prog} --help.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit code: 0, 1 for a failed run, 2 for bad input."""
    words = sys.argv[1:] if arguments is None else arguments
    verbose = "--verbose" in words
    _accept_any_name()
    try:
        with warnings.catch_warnings():
            if not verbose:
                warnings.simplefilter("ignore")
            return _run(words)
    except (BadInput, requirements.MissingPackages) as error:
        return _report(error, 2, verbose)
    except KeyboardInterrupt:
        return 130
    except RunFailed as error:
        return _report(error, 1, verbose)
    except Exception as error:  # noqa: BLE001 (the top of the process)
        return _report(error, 1, verbose)


def _accept_any_name() -> None:
    """A terminal that lacks a letter of a file's name shows its number instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(words: list[str]) -> int:
    name = next((word for word in words if word in LINES), None)
    command = _load(name) if name else None
    parsed = _parser(name, command).parse_args(words)
    if command is None:
        raise BadInput(f"Name a command: {', '.join(LINES)}.")
    if LINES[parsed.command].needs_packages:
        requirements.require()
    return command.run(parsed)


def _load(name: str) -> Command:
    """Import only what the chosen command needs."""
    if LINES[name].in_training:
        return TrainingCommand(name)
    return cast(Command, importlib.import_module(f".commands.{name}", __package__))


def _parser(chosen: str | None, command: Command | None) -> ArgumentParser:
    """All commands by name and help; arguments for the chosen one."""
    parser = _Parser(prog="mouthpiece", description="Speech to facial animation.")
    parser.add_argument("--version", action="version", version=f"Mouthpiece {version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, line in LINES.items():
        child = commands.add_parser(name, help=line.help, description=f"{line.help[0].upper()}{line.help[1:]}.")
        child.add_argument("--verbose", action="store_true", help="show a traceback with an error")
        if name == chosen and command is not None:
            command.add_arguments(child)
    return parser


def _report(error: Exception, code: int, verbose: bool) -> int:
    if verbose:
        traceback.print_exception(error)
    terminal.complain(_sentence(error))
    return code


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror}."
    return str(error) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
