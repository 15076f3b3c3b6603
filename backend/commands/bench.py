# SPDX-License-Identifier: GPL-3.0-or-later
"""``bench``: how fast a model is on this machine, as ratios, and how much memory it needs."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from . import terminal
from .terminal import RunFailed


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", default="default", metavar="NAME|FILE", help="name of a model, or a model file")
    terminal.add_model_folders(parser)


def run(arguments: Namespace) -> int:
    """Measure one model and print a table."""
    from backend import bench, catalogue, checkpoint

    with terminal.bad_input(catalogue.CatalogueError, checkpoint.CheckpointError):
        path = catalogue.find_or_open(arguments.model, arguments.models)
        try:
            figures = bench.measure(path)
        except bench.BenchError as error:
            raise RunFailed(str(error)) from error
    rows = [
        (f"sound to motion against the plain WavLM encoder, {figures.threads} threads", f"{figures.speed_up:.1f} x")
    ]
    rows += [
        (f"peak memory, {seconds} s of sound", f"{peak / 1e6:.0f} MB") for seconds, peak in figures.peak_bytes.items()
    ]
    rows.append(("peak memory, longest against shortest", f"{figures.growth:.2f} x"))
    rows.append(_training())
    for name, figure in [(f"{figures.model}, {figures.clip_seconds} s clip", ""), ("---", "---"), *rows]:
        terminal.say(f"| {name} | {figure} |")
    return 0


def _training() -> tuple[str, str]:
    from backend.training.motion import pace

    with tempfile.TemporaryDirectory() as folder:
        found = pace.measure(Path(folder))
    clips = f"clips of {pace.SHORTEST:g} to {pace.LONGEST:g} s"
    return f"training of {found.config}, batches of {pace.BATCH} {clips} against one by one", f"{found.ratio:.1f} x"
