# SPDX-License-Identifier: GPL-3.0-or-later
"""``serve``: the pipe protocol on standard input and output."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import NoReturn

from backend import server

from . import terminal


def add_arguments(parser: ArgumentParser) -> None:
    terminal.add_device(parser)
    terminal.add_precision(parser)
    terminal.add_model_folders(parser)
    terminal.add_flame(parser)
    terminal.add_dictionary(parser)


def run(arguments: Namespace) -> NoReturn:
    """Serve until the input ends."""
    server.serve(
        arguments.device, arguments.models, arguments.flame, arguments.dictionary, precision=arguments.precision
    )
