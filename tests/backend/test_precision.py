# SPDX-License-Identifier: GPL-3.0-or-later
"""Which precision a device gets, and what it is told where it has none."""

from __future__ import annotations

import pytest

from backend import precision
from backend.precision import Precision, PrecisionError


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
