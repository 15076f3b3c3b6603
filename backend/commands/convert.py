# SPDX-License-Identifier: GPL-3.0-or-later
"""``convert``: official UniTalker checkpoints to our model files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from . import terminal


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="official .pt or .safetensors file")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.safetensors", help="the model file to write"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE.json", help="layout (default: recognised, for the released B and L)"
    )
    parser.add_argument("--pca", type=Path, metavar="FOLDER", help="folder with one SPACE.npz per PCA space")
    parser.add_argument("--templates", type=Path, metavar="FILE.npz", help="one neutral face per space")


def run(arguments: Namespace) -> int:
    """Convert one checkpoint and say what the model file holds."""
    from backend.checkpoint import CheckpointError
    from backend.foreign.convert import STAGES, ConvertError, convert

    with terminal.bad_input(ConvertError, CheckpointError):
        made = convert(
            arguments.checkpoint,
            arguments.output,
            config=arguments.config,
            pca=arguments.pca,
            templates=arguments.templates,
            tell=lambda stage: terminal.stage(STAGES.index(stage) + 1, len(STAGES), stage),
        )
    terminal.say(f"{made.path}: {made.title}, {made.parameters / 1e6:.1f} M parameters, {made.bytes / 1e6:.1f} MB")
    terminal.say(f"  face spaces  {', '.join(made.spaces)}")
    terminal.say(f"  identities   {made.identities} and the pivot")
    if made.left_out:
        terminal.say(f"  left out     {', '.join(made.left_out)} (give their PCA bases with --pca)")
    return 0
