# SPDX-License-Identifier: GPL-3.0-or-later
"""Training clips: the rules of UniTalker's data items."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.training.motion.clip import ClipError, cut, reduce_rate

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "data_item"
CASES = json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))["cases"]
SCALES = {"D0": 0.2, "D2": 0.001}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_clips_are_those_of_the_official_code(case: dict) -> None:
    arrays = np.load(GOLDEN / "cases.npz")
    motion, template = (arrays[f"{case['name']}.{part}_in"] for part in ("annot", "template"))
    samples = np.arange(case["audio_samples_in"], dtype=np.float32)
    clip = cut(samples, motion, case["fps_in"], template, SCALES.get(case["dataset"], 1.0))
    assert (clip is not None) == case["kept"]
    if clip is None:
        return
    assert clip.fps == case["fps_out"]
    assert clip.samples.shape == (case["audio_samples_out"],)
    np.testing.assert_array_equal(clip.samples, samples[: case["audio_samples_out"]])
    assert clip.motion.dtype == clip.template.dtype == np.float32
    np.testing.assert_allclose(clip.motion, arrays[f"{case['name']}.data"], atol=1e-6)
    np.testing.assert_allclose(clip.template, arrays[f"{case['name']}.template"][0], atol=1e-6)


def test_exactly_half_a_second_is_kept() -> None:
    motion, template = np.zeros((15, 2)), np.zeros(2)
    assert cut(np.zeros(8000, np.float32), motion, 30, template, 1.0) is not None
    assert cut(np.zeros(7999, np.float32), motion, 30, template, 1.0) is None


@pytest.mark.parametrize("fps", [24, 29.97, 50, 120])
def test_other_rates_are_refused_with_what_to_do(fps: float) -> None:
    with pytest.raises(ClipError, match=f"{fps:g} frames per second.*resample"):
        reduce_rate(np.zeros((10, 2)), fps)
