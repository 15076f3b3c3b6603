# SPDX-License-Identifier: GPL-3.0-or-later
"""The training commands as tests give them, and what their runs leave to be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.training import commands, journal

TINY = ("model.encoder.width=16", "model.encoder.blocks=1", "model.encoder.bands=20", "model.decoder_dimension=16")
"""A UniTalker that learns in seconds."""


def run(command: str, *words: object) -> str:
    """What a command answers."""
    parser = argparse.ArgumentParser()
    commands.COMMANDS[command].add_arguments(parser)
    return commands.COMMANDS[command].run(parser.parse_args([str(word) for word in words]))


def settings(*changes: str) -> list[str]:
    """Changed entries of a config, as words of a command."""
    return [word for change in changes for word in ("--set", change)]


def metrics(folder: Path) -> list[dict]:
    """The rows that a run has logged."""
    return [json.loads(line) for line in (folder / journal.METRICS).read_text(encoding="utf-8").splitlines()]
