# SPDX-License-Identifier: GPL-3.0-or-later
"""Of all means of several models, the one that reads watched recordings best."""

import copy
from pathlib import Path

import pytest
import torch
from training_commands import run

from backend import catalogue, checkpoint
from backend.training.errors import ConfigError, CorpusError
from backend.training.lips import choosing

WATCHED = Path(__file__).parents[1] / "data" / "speech"


@pytest.fixture(scope="module")
def pushed(tmp_path_factory) -> tuple[Path, Path]:
    """The default model pushed off its weights, and as far the other way; the mean of both is the default model."""
    loaded = checkpoint.load(catalogue.find("default"))
    torch.manual_seed(1)
    weights = dict(loaded.model.named_parameters())
    push = {name: 0.3 * weight.std(correction=0) * torch.randn_like(weight) for name, weight in weights.items()}
    files = tuple(tmp_path_factory.mktemp("pushed") / f"{name}.safetensors" for name in ("pushed", "pulled"))
    for file, sign in zip(files, (1, -1), strict=True):
        model = copy.deepcopy(loaded.model)
        for name, weight in model.named_parameters():
            weight.data += sign * push[name]
        checkpoint.save(file, model, tuple(loaded.spaces.values()), loaded.identities, loaded.info, half=True)
    return files


def test_a_mean_of_two_that_read_worse_alone(pushed, tmp_path):
    answer = run("average", *pushed, "--watch", WATCHED, "--output", tmp_path / "chosen.safetensors")
    assert answer.endswith(f"the mean of pushed + pulled is in {tmp_path / 'chosen.safetensors'}")
    assert answer.splitlines()[2].startswith("| pushed + pulled |")
    assert len(answer.splitlines()) == 2 + 3 + 2, "a row for each of the two alone and for both"
    assert [file.name for file in tmp_path.iterdir()] == ["chosen.safetensors"]
    chosen = checkpoint.load(tmp_path / "chosen.safetensors").model.state_dict()
    for name, weight in checkpoint.load(catalogue.find("default")).model.state_dict().items():
        torch.testing.assert_close(chosen[name], weight, atol=2e-2, rtol=2e-2)


def test_one_that_reads_better_alone_stays_as_it_is(pushed, tmp_path):
    default = catalogue.find("default")
    run("average", pushed[0], default, "--watch", WATCHED, "--output", tmp_path / "chosen.safetensors")
    assert (tmp_path / "chosen.safetensors").read_bytes() == default.read_bytes()


def test_nothing_is_written_where_nothing_can_be_chosen(pushed, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError):
        run("average", *pushed, "--watch", tmp_path / "empty", "--output", tmp_path / "chosen.safetensors")
    with pytest.raises(ConfigError, match="at most 6"):
        run("average", *pushed * 4, "--watch", WATCHED, "--output", tmp_path / "chosen.safetensors")
    assert [file.name for file in tmp_path.iterdir()] == ["empty"]


def test_what_falls_short_most_decides():
    good = {"f1": 0.70, "best_f1": 0.72, "vowel_jaw": 0.64, "aperture": 0.80, "lag_ms": -17.0, "silence_p95": 0.06}
    assert all(margin > 0 for margin in choosing.margins(good).values())
    for name, worse in (("best_f1", 0.76), ("vowel_jaw", 0.61), ("aperture", 0.7), ("lag_ms", -33.0)):
        margins = choosing.margins(good | {name: worse})
        assert min(margins, key=lambda figure: margins[figure]) == name
        assert margins[name] < 0
    assert choosing.margins(good | {"f1": 0.60, "best_f1": 0.60})["f1"] == pytest.approx(-1)
    assert choosing.margins(good | {"silence_p95": 0.14})["silence_p95"] == pytest.approx(-2)
