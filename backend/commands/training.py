# SPDX-License-Identifier: GPL-3.0-or-later
"""The training commands: the doors to the training code, which nothing else opens."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

from . import terminal
from .terminal import RunFailed


@dataclass(frozen=True)
class TrainingCommand:
    """One command of ``backend.training.commands``, by its name."""

    name: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        from backend.training.commands import COMMANDS

        COMMANDS[self.name].add_arguments(parser)

    def run(self, arguments: Namespace) -> int:
        """Run it and show what it answers."""
        from backend import audio, catalogue, checkpoint, planning
        from backend.training.commands import COMMANDS
        from backend.training.errors import RunError, TrainingError

        used = (audio.AudioError, catalogue.CatalogueError, checkpoint.CheckpointError, planning.RequestError)
        with terminal.bad_input(TrainingError, *used):
            try:
                answer = COMMANDS[self.name].run(arguments)
            except RunError as error:
                raise RunFailed(str(error)) from error
        if answer:  # of several processes, one answers
            terminal.say(answer)
        return 0
