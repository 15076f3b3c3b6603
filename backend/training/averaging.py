# SPDX-License-Identifier: GPL-3.0-or-later
"""Averaging: one model of several that began alike, which is often better than each of them.

Weights of runs that went on from the same model lie in one basin, where their mean makes fewer mistakes than they do
(Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from backend import checkpoint

from .errors import ConfigError


def average(files: Sequence[Path], output: Path) -> None:
    """Writes the mean of the weights of two or more model files, with the card of the first, in half precision.

    Raises ConfigError where they are not built alike, and CheckpointError.
    """
    first, *others = (checkpoint.load(file) for file in files)
    for file, other in zip(files[1:], others, strict=True):
        if (other.model.config, other.identities) != (first.model.config, first.identities):
            raise ConfigError(f"{file} is not built as {files[0]} is; average models of runs that began alike.")
        if other.info.licence != first.info.licence:
            raise ConfigError(f"{file} is under another licence than {files[0]}: {other.info.licence}.")
    states = [model.model.state_dict() for model in (first, *others)]
    first.model.load_state_dict({name: _mean([state[name] for state in states]) for name in states[0]})
    runs = [
        {key: value for key, value in model.info.training.items() if key != "attribution"} for model in (first, *others)
    ]
    training = {"attribution": first.info.training.get("attribution", ""), "mean of": runs}
    card = replace(first.info, training=training)
    checkpoint.save(output, first.model.eval(), tuple(first.spaces.values()), first.identities, card, half=True)


def _mean(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of weights; what is counted in whole numbers is the first's."""
    return torch.stack(list(tensors)).mean(dim=0) if tensors[0].is_floating_point() else tensors[0]
