# SPDX-License-Identifier: GPL-3.0-or-later
"""UniTalker gives the numbers of the official code, stage by stage, from official checkpoints through `convert`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.models.speech_encoder import standardise
from backend.windows import frame_count, windows

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
RUNS = [
    (path.parent.name, run["name"])
    for path in sorted(GOLDEN.glob("case*/config.json"))
    for run in json.loads(path.read_text(encoding="utf-8"))["runs"]
]
TOLERANCE = 1e-4


def test_there_are_cases() -> None:
    assert {name[:5] for name, _ in RUNS} == {"case1", "case2", "case3", "case4", "case5"}


@pytest.mark.parametrize(("name", "run_name"), RUNS)
def test_every_stage_of_every_run(golden_case: Callable, name: str, run_name: str) -> None:
    case = golden_case(name)
    run = next(run for run in case.config["runs"] if run["name"] == run_name)
    audio = torch.from_numpy(case.inputs[f"raw_{run['audio']}"]).reshape(run["batch"], -1)
    identity = None if run["style_idx"] is None else torch.tensor(run["style_idx"])
    seen = set()
    for space in run["annotations"]:
        template = case.inputs.get(f"{run_name}.template.{space}", case.inputs[f"template.{space}"])
        motion = case.inputs.get(f"{run_name}.face_motion.{space}")
        frames = motion.shape[1] if motion is not None else frame_count(audio.shape[1], run["fps"])
        assert frames == run["frame_num"]
        with torch.no_grad():
            prediction = case.loaded.model(audio, space, frames, identity, torch.from_numpy(template))
        stages = {
            "encoder_raw": prediction.features,
            "encoder_out": prediction.aligned,
            "decoder_out": prediction.hidden,
            f"{space}.out_motion": prediction.values,
            f"{space}.out_pca": prediction.coefficients,
        }
        if f"{run_name}.{space}.gt_pca" in case.expected:
            stages[f"{space}.gt_pca"] = case.loaded.model.encode(
                torch.from_numpy(motion), space, torch.from_numpy(template)
            )
        for stage, found in stages.items():
            if (wanted := case.expected.get(f"{run_name}.{stage}")) is not None:
                seen.add(f"{run_name}.{stage}")
                np.testing.assert_allclose(found.numpy(), wanted, atol=TOLERANCE, rtol=0, err_msg=stage)
    inside = {f"{run_name}.{part}" for part in ("conv_features", "feature_projection_in", "decoder_raw")}
    assert seen == {key for key in case.expected if key.startswith(f"{run_name}.")} - inside


@pytest.mark.parametrize("name", sorted({name for name, _ in RUNS}))
def test_the_inside_of_the_encoder(golden_case: Callable, name: str) -> None:
    case = golden_case(name)
    run = case.config["runs"][0]
    encoder = case.loaded.model.encoder
    recorded = {}
    hooks = [
        encoder.network.feature_extractor.register_forward_hook(
            lambda module, inputs, output: recorded.update(conv_features=output)
        ),
        encoder.network.feature_projection.register_forward_hook(
            lambda module, inputs, output: recorded.update(feature_projection_in=inputs[0])
        ),
        case.loaded.model.decoder.register_forward_hook(
            lambda module, inputs, output: recorded.update(decoder_raw=output)
        ),
    ]
    audio = torch.from_numpy(case.inputs[f"raw_{run['audio']}"])[None]
    with torch.no_grad():
        case.loaded.model(audio, run["annotations"][0], run["frame_num"], torch.tensor(run["style_idx"]))
    for hook in hooks:
        hook.remove()
    stages = [stage for stage in recorded if f"{run['name']}.{stage}" in case.expected]
    assert {"conv_features", "feature_projection_in"} <= set(stages)
    for stage in stages:
        wanted = case.expected[f"{run['name']}.{stage}"]
        np.testing.assert_allclose(recorded[stage].numpy(), wanted, atol=TOLERANCE, rtol=0, err_msg=stage)


@pytest.mark.parametrize("name", ["case1_wavlm_conv_pos1_pca", "case3_wavlm_transformer_pos1_pca"])
def test_in_double_precision_the_numbers_stay(golden_case: Callable, name: str) -> None:
    case = golden_case(name)
    run = case.config["runs"][0]
    space = run["annotations"][0]
    audio = torch.from_numpy(case.inputs[f"raw_{run['audio']}"])[None]
    template = torch.from_numpy(case.inputs[f"template.{space}"])
    try:
        prediction = case.loaded.model.double()(
            audio.double(), space, run["frame_num"], torch.tensor(run["style_idx"]), template.double()
        )
    finally:
        case.loaded.model.float()
    assert prediction.values.dtype == torch.float64
    wanted = case.expected[f"{run['name']}.{space}.out_motion"]
    np.testing.assert_allclose(prediction.values.detach().numpy(), wanted, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("tag", ["L10", "L25p01", "L61p3"])
def test_each_window_of_a_long_sound_is_normalised_alone(tag: str) -> None:
    description = json.loads((GOLDEN / "long_audio" / "config.json").read_text(encoding="utf-8"))
    length = next(length for length in description["lengths"] if length["tag"] == tag)
    time = np.arange(length["samples"])
    noise = ((time * 7919 + 104729) % 65536 - 32768) / 32768
    audio = (noise * (1 + time // 160000) / 8 + 0.1 * (time // 320000)).astype(np.float32)
    for window, wanted in zip(windows(len(audio)), length["pieces_normalised"], strict=True):
        piece = standardise(torch.from_numpy(audio[None, window.start : window.stop]))[0].numpy()
        assert piece.shape == (wanted["length"],)
        np.testing.assert_allclose(piece[:8], wanted["first8"], atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(piece[-8:], wanted["last8"], atol=TOLERANCE, rtol=0)
