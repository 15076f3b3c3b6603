# SPDX-License-Identifier: GPL-3.0-or-later
"""Which optimizer changes which weights, and that their memory survives a stop."""

from __future__ import annotations

import copy

import pytest
import torch
from test_motion_step import small_task
from torch import nn
from torch.optim import AdamW

from backend.training.config import OptimizerConfig
from backend.training.muon import Muon
from backend.training.optimizers import Optimizers, optimizers_for
from backend.training.task import learn


def names_by_kind(model: nn.Module, optimizers: Optimizers) -> dict[type, set[str]]:
    names = {id(value): name for name, value in model.named_parameters()}
    return {
        type(part): {names[id(value)] for group in part.param_groups for value in group["params"]}
        for part in optimizers.parts
    }


def test_without_muon_adamw_learns_everything() -> None:
    model = small_task("mel").model
    kinds = names_by_kind(model, optimizers_for(model, OptimizerConfig()))
    assert kinds == {AdamW: {name for name, _ in model.named_parameters()}}


def test_muon_learns_the_matrices_inside_and_nothing_else() -> None:
    model = small_task("mel").model
    kinds = names_by_kind(model, optimizers_for(model, OptimizerConfig(muon=True)))
    shapes = {name: value.ndim for name, value in model.named_parameters()}
    assert kinds[Muon] | kinds[AdamW] == set(shapes)
    assert not kinds[Muon] & kinds[AdamW]
    assert {shapes[name] for name in kinds[Muon]} == {2}
    assert "encoder.blocks.0.widen.weight" in kinds[Muon]
    left_to_adamw = {name for name in kinds[AdamW] if shapes[name] == 2}
    assert left_to_adamw
    assert all(name.startswith(("heads.", "auxiliary.")) or "identities" in name for name in left_to_adamw)


@pytest.mark.parametrize("muon", [False, True])
def test_decay_spares_norms_biases_and_identities_alone(muon: bool) -> None:
    model = small_task("mel").model
    names = {id(value): name for name, value in model.named_parameters()}
    optimizers = optimizers_for(model, OptimizerConfig(muon=muon, weight_decay=0.05))
    decay = {names[id(value)]: group["weight_decay"] for group in optimizers.param_groups for value in group["params"]}
    spared = {name for name, value in model.named_parameters() if value.ndim == 1 or "identities" in name}
    assert {name for name, share in decay.items() if share == 0} == spared
    assert set(decay.values()) == {0, 0.05}


@pytest.mark.parametrize("muon", [False, True])
def test_where_only_identities_learn_nothing_else_is_touched(muon: bool) -> None:
    model = small_task("mel").model
    learn(model, "identities")
    kinds = names_by_kind(model, optimizers_for(model, OptimizerConfig(muon=muon)))
    assert kinds == {AdamW: {"decoder.identities.weight"}}


def test_memory_goes_from_one_to_another() -> None:
    """Two models that have learned the same, of which one has the other's memory and a third none, take a step."""
    models = [small_task("mel").model for _ in range(3)]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    optimizers = [optimizers_for(model, OptimizerConfig(muon=True)) for model in models]

    def step(number: int, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        for value in models[number].parameters():
            value.grad = torch.randn(value.shape, generator=random)
        optimizers[number].step()

    step(0, seed=1)
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    optimizers[1].remember(copy.deepcopy(optimizers[0].state()))
    for number in range(3):
        step(number, seed=2)
    learned, same, forgetful = ([value.detach() for value in model.parameters()] for model in models)
    for one, other in zip(learned, same, strict=True):
        assert torch.equal(one, other)
    assert not any(torch.equal(one, other) for one, other in zip(learned, forgetful, strict=True))
