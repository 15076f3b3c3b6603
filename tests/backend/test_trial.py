# SPDX-License-Identifier: GPL-3.0-or-later
"""A model that does not run on Metal computes on the processor, unless Metal was asked for.

This torch was built without Metal, so that putting a model there fails as it might on a Mac.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from backend import catalogue, checkpoint, device, pipeline, planning, trial
from backend.checkpoint import LoadedModel

NOISE = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)


@pytest.fixture
def on_metal(monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("here is a Metal, on which the models run or should")
    monkeypatch.setattr(device, "choose", lambda name: "mps" if name == "auto" else name)


def model(name: str) -> LoadedModel:
    return checkpoint.load(catalogue.find(name))


def motion(loaded: LoadedModel) -> np.ndarray:
    return np.concatenate([chunk.values for chunk in pipeline.generate(loaded, NOISE, planning.plan(loaded, WANTED))])


WANTED = planning.Request()


@pytest.mark.parametrize("name", ["default", "diffusion"])
def test_the_processor_takes_over_and_says_so(on_metal: None, name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loaded = trial.ready(model(name), "auto", "auto")
    assert next(loaded.model.parameters()).device.type == "cpu"
    assert "does not run on Metal" in caplog.text
    np.testing.assert_array_equal(motion(loaded), motion(trial.ready(model(name), "cpu", "auto")))


def test_whoever_asks_for_metal_is_told_what_is_wrong(on_metal: None) -> None:
    with pytest.raises((RuntimeError, TypeError)):
        trial.ready(model("default"), "mps", "auto")


@pytest.mark.parametrize("name", ["default", "diffusion"])
def test_nothing_in_a_model_is_of_a_kind_that_metal_has_not(name: str) -> None:
    loaded = model(name).model
    kinds = {tensor.dtype for tensor in (*loaded.parameters(), *loaded.buffers())}
    assert kinds <= {torch.float32, torch.float16, torch.int64, torch.bool}
