# SPDX-License-Identifier: GPL-3.0-or-later
"""Which precision a device gets, and what it is told where it has none."""

from __future__ import annotations

import numpy as np
import pytest

from backend import catalogue, checkpoint, pipeline, planning, precision
from backend.audio import decode
from backend.checkpoint import LoadedModel
from backend.precision import Precision, PrecisionError
from tests.backend.test_known_words import DEMO


@pytest.mark.parametrize(
    ("has_bf16", "capability", "chosen"), [(True, (8, 0), "bf16"), (False, (7, 5), "fp16"), (False, (6, 1), "fp32")]
)
def test_a_card_gets_the_half_precision_that_it_is_fast_in(
    has_bf16: bool, capability: tuple[int, int], chosen: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: has_bf16)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: capability)
    assert precision.choose("auto", "cuda") == chosen


@pytest.mark.parametrize(
    ("wanted", "device"), [("fp16", "cpu"), ("tf32", "cpu"), ("fp16", "mps"), ("tf32", "mps"), ("bf16", "mps")]
)
def test_what_a_device_cannot_do_is_said(wanted: Precision, device: str) -> None:
    with pytest.raises(PrecisionError, match=rf"{wanted}.*--precision fp32 or auto"):
        precision.choose(wanted, device)


def test_float32_is_everywhere() -> None:
    assert [precision.choose("fp32", device) for device in ("cpu", "cuda", "mps")] == ["fp32"] * 3
    assert precision.choose("auto", "mps") == "fp32"


def moved(loaded: LoadedModel, sound: np.ndarray) -> np.ndarray:
    """float32 [frames, channels]: the motion that artists get."""
    planned = planning.plan(loaded, planning.Request())
    return np.concatenate([chunk.values for chunk in pipeline.generate(loaded, sound, planned)])


@pytest.mark.parametrize("name", ["default", "diffusion"])
def test_the_models_in_the_box_say_in_half_precision_what_they_say_in_float32(name: str) -> None:
    file = catalogue.find_or_open(name)
    full, short = (precision.ready(checkpoint.load(file), "cpu", kind) for kind in ("fp32", "bf16"))
    assert (full.precision, short.precision) == ("fp32", "bf16")
    wanted, found = (moved(loaded, decode(DEMO)) for loaded in (full, short))
    assert np.ptp(wanted) > 0.5
    assert not np.array_equal(wanted, found)
    assert np.abs(wanted - found).max() < 0.01 * np.ptp(wanted)
