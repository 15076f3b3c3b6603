# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line says, and the one kind of error that it says without a traceback."""

from __future__ import annotations

import contextlib
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path


class BadInput(Exception):
    """The user can put it right; the sentence says how. Exit code 2."""


class RunFailed(Exception):
    """The work was begun and could not be done; the sentence says why. Exit code 1."""


def say(text: str) -> None:
    """A line of results, on standard output."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """A line about what goes on, on standard error."""
    sys.stderr.write(f"{text}\n")


def complain(text: str) -> None:
    """One line about what went wrong, on standard error."""
    sys.stderr.write(f"error: {' '.join(text.split())}\n")


def stage(number: int, count: int, title: str) -> None:
    """One line about what begins, on standard error; Blender's dialog reads it too."""
    sys.stderr.write(f"{number}/{count} {title}\n")


def warn(text: str) -> None:
    """One line about what is not as it was meant to be, on standard error; the work goes on."""
    sys.stderr.write(f"warning: {' '.join(text.split())}\n")


@contextlib.contextmanager
def bad_input(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds are the user's to put right."""
    try:
        yield
    except kinds as error:
        raise BadInput(str(error)) from error


def add_model_folders(parser: ArgumentParser) -> None:
    """The option that makes more models known."""
    parser.add_argument(
        "--models", type=Path, action="append", default=[], metavar="FOLDER", help="folder with more models; repeatable"
    )


def add_device(parser: ArgumentParser) -> None:
    """The option that says where models run."""
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where the model runs (default: auto)"
    )


def add_precision(parser: ArgumentParser) -> None:
    """The option that trades the last digits of big models for speed."""
    about = "of speech encoders: half where the device is fast at it (auto, default); fp32 for official numbers"
    choices = ("auto", "fp32", "tf32", "bf16", "fp16")
    parser.add_argument("--precision", default="auto", choices=choices, help=about)


def add_flame(parser: ArgumentParser) -> None:
    """The option that turns FLAME parameters into vertices."""
    about = "your own FLAME file (.pkl, or the .npz made of it): FLAME parameters come out as vertices"
    parser.add_argument("--flame", type=Path, metavar="FILE", help=about)


def add_dictionary(parser: ArgumentParser) -> None:
    """The option that says how words are pronounced."""
    about = "your own pronunciation dictionary for transcripts: a text file with lines like: paper P EY1 P ER0"
    parser.add_argument("--dictionary", type=Path, metavar="FILE", help=about)
