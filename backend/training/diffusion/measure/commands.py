# SPDX-License-Identifier: GPL-3.0-or-later
"""What `evaluate` offers for a DiffusionTalker and its teacher; `backend.training.commands` calls this."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.training.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `evaluate` for a chain of students."""
    group = parser.add_argument_group("DiffusionTalker beside its teacher (with --data; SOURCES are the students)")
    group.add_argument("--teacher", type=Path, metavar="MODEL", help="measure all that students have to hold")
    group.add_argument("--strangers", type=Path, nargs="+", metavar="PREPARED", help="speakers nobody learnt from")
    group.add_argument("--page", type=Path, metavar="FILE", help="page to put the figures into, between its marks")


def evaluate(arguments: argparse.Namespace) -> str:
    """Measures the first student against everything that must hold, and the others for their steps."""
    from backend import catalogue, checkpoint
    from backend.training.diffusion import talker_model
    from backend.training.motion import motion_set

    from . import measured, report

    if arguments.data is None:
        raise ConfigError("--teacher compares on prepared data; name it by --data.")
    students = [catalogue.find_or_open(source) for source in arguments.sources]
    wanted = measured.Measurement(
        talker_model.of_file(arguments.teacher),
        [talker_model.of_file(path) for path in students],
        motion_set.read(arguments.data),
        motion_set.read(arguments.strangers) if arguments.strangers else (),
        [checkpoint.load(catalogue.find("default")), checkpoint.load(students[0])],
    )
    text = report.markdown(measured.measure(wanted))
    if arguments.page is not None:
        report.put(arguments.page, text)
    return text
