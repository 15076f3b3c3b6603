# SPDX-License-Identifier: GPL-3.0-or-later
"""``experiments``: its options, and what it answers. `training.commands` calls this."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from backend.training.errors import ConfigError

if TYPE_CHECKING:
    from .bench import Size

QUICK_CHANGES = (
    *("schedule.epochs=2", "schedule.decoder_epochs=1", "schedule.validate_every=2", "model.decoder_dimension=16"),
    *("model.encoder.width=16", "model.encoder.blocks=1"),
)
"""To the config of a run that only shows that everything works."""
SIZE = "size.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `experiments FOLDER`."""
    parser.add_argument("folder", type=Path, help="where everything goes; what is there is not made again")
    parser.add_argument("--quick", action="store_true", help="few sentences, two epochs: only to see that all works")
    parser.add_argument("--seeds", type=int, default=3, help="how often every model is trained")
    parser.add_argument("--only", nargs="+", default=[], metavar="MODEL", help="these models of the plan only")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="document to put the tables into")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="the transfer to a new annotation as a picture"
    )
    parser.add_argument("--processes", type=int, default=1, help="speech engines at the same time")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the training")


def run(arguments: argparse.Namespace) -> str:
    """Makes the bench, carries out the plan, and answers with the tables."""
    import torch

    from . import bench, measure, picture, plan, report, runs

    by_name = {variant.name: variant for variant in plan.variants()}
    _check(arguments, list(by_name))
    torch.set_num_threads(arguments.threads)
    size = bench.QUICK if arguments.quick else bench.FULL
    claim(arguments.folder, size)
    made = bench.make(arguments.folder, size, arguments.processes)
    workshop = runs.Workshop(arguments.folder, made, QUICK_CHANGES if arguments.quick else ())
    found = runs.carry_out(workshop, plan.chosen(arguments.only, arguments.seeds), by_name)
    results = report.gathered(found, measure.of_mean({name: made.sets[name] for name in plan.ALL}, made.options))
    tables = report.markdown(results)
    if arguments.output is not None:
        report.write(arguments.output, tables)
    if arguments.picture is not None:
        picture.draw(results, arguments.picture)
    return tables


def _check(arguments: argparse.Namespace, known: list[str]) -> None:
    if arguments.seeds < 1:
        raise ConfigError(f"--seeds is {arguments.seeds}; it must be 1 or more.")
    if unknown := [name for name in arguments.only if name not in known]:
        raise ConfigError(f"There is no model {unknown[0]} in the plan; choose of {', '.join(known)}.")


def claim(folder: Path, size: Size) -> None:
    """Keep a folder for one size, so that quick and full results never lie side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / SIZE
    if note.is_file() and note.read_text(encoding="utf-8") != repr(size):
        raise ConfigError(f"{folder} holds experiments of another size; name another folder.")
    note.write_text(repr(size), encoding="utf-8")
