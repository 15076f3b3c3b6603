# SPDX-License-Identifier: GPL-3.0-or-later
"""Beginning with a model: for each way that docs/training.md names, what learns and what stays bit for bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import toy_sets
from training_commands import TINY, run, settings

from backend import checkpoint, pipeline, planning
from backend.audio import speech_gain
from backend.checkpoint import LoadedModel
from backend.training.errors import ConfigError, CorpusError
from backend.training.motion import motion_set

IDENTITIES = "decoder.identities.weight"
SLIDERS = ("Open", "Round", "BiteLip", "Sneer L")
LIMITS = {"Open": (0.0, 1.0), "Round": (-0.2, 0.6), "BiteLip": (0.0, 2.0), "Sneer L": (0.0, 1.0)}
LEARNING = ("schedule.epochs=2", "schedule.decoder_epochs=0", "schedule.rate=0.01", "schedule.average=0.5")


@dataclass(frozen=True)
class Sets:
    """Prepared data sets."""

    hero: Path
    """Of the rig and the person that the model knows."""
    zoe: Path
    """Of the same rig and somebody new."""
    octopus: Path
    """Of a rig that the model does not know, with limits."""


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    folder = tmp_path_factory.mktemp("sets")
    clips = {
        "hero": toy_sets.rig(folder / "hero"),
        "zoe": toy_sets.rig(folder / "zoe", identity="zoe"),
        "octopus": toy_sets.rig(folder / "octopus", "Octopus", "zoe", SLIDERS, limits=LIMITS),
    }
    return Sets(**{name: toy_sets.prepare("clips", path, folder / "out") for name, path in clips.items()})


@pytest.fixture(scope="module")
def known(sets: Sets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the hero's rig and of a face of vertices."""
    folder = tmp_path_factory.mktemp("known")
    faces = toy_sets.prepare("unitalker", toy_sets.faces(folder / "T0"), folder / "out")
    output = folder / "known.safetensors"
    words = ("--config", "unitalker_tiny", "--run", folder / "run", "--output", output)
    train(*words, "--data", faces, sets.hero, *settings(*TINY, "schedule.epochs=2"))
    return output


def train(*words: object) -> str:
    return run("train", *words, "--threads", 1)


def tuned(known: Path, data: Path, folder: Path, *words: object) -> LoadedModel:
    """The model after a little fine-tuning."""
    output = folder / "tuned.safetensors"
    train("--from", known, "--data", data, "--run", folder / "run", "--output", output, *settings(*LEARNING), *words)
    return checkpoint.load(output)


def changed(known: Path, after: LoadedModel) -> set[str]:
    """Tensors of both models that differ, without the table of identities, which grows."""
    old, new = checkpoint.load(known).model.state_dict(), after.model.state_dict()
    both = (old.keys() & new.keys()) - {IDENTITIES}
    return {name for name in both if old[name].shape != new[name].shape or not torch.equal(old[name], new[name])}


def parts(names: set[str]) -> set[str]:
    return {".".join(name.split(".")[: 2 if name.startswith("heads") else 1]) for name in names}


def rows(known: Path, after: LoadedModel) -> tuple[torch.Tensor, torch.Tensor]:
    return checkpoint.load(known).model.state_dict()[IDENTITIES], after.model.state_dict()[IDENTITIES]


def test_a_seen_data_set_teaches_everything_and_keeps_its_people(known: Path, sets: Sets, tmp_path: Path):
    after = tuned(known, sets.hero, tmp_path, "--config", "finetune")
    assert list(after.spaces) == ["my_rig"]
    assert after.identities == checkpoint.load(known).identities
    assert parts(changed(known, after)) == {"encoder", "decoder", "heads.my_rig"}


def test_an_unseen_annotation_may_keep_the_encoder_only(known: Path, sets: Sets, tmp_path: Path):
    after = tuned(known, sets.octopus, tmp_path, "--config", "finetune", "--new-decoder", "--set", 'learn="decoder"')
    assert list(after.spaces) == ["Octopus"]
    assert after.identities == ("octopus/zoe",)
    assert "encoder" not in parts(changed(known, after))
    assert "decoder" in parts(changed(known, after))


def test_one_shot_teaches_decoder_and_head(known: Path, sets: Sets, tmp_path: Path):
    after = tuned(known, sets.octopus, tmp_path, "--config", "finetune", "--set", 'learn="decoder"')
    assert parts(changed(known, after)) == {"decoder"}
    before, now = rows(known, after)
    assert torch.equal(now[0], before[0])
    assert not torch.equal(now[-2], before[-1])


def test_a_head_alone_leaves_the_rest_and_the_other_heads(known: Path, sets: Sets, tmp_path: Path):
    after = tuned(known, sets.octopus, tmp_path, "--config", "finetune", "--set", 'learn="heads"')
    assert list(after.spaces) == ["Octopus", "toy_8_vertices", "my_rig"]
    assert not changed(known, after)
    before, now = rows(known, after)
    assert torch.equal(now, torch.cat([before, before[-1:]]))


def test_new_people_come_beside_those_who_stay(known: Path, sets: Sets, tmp_path: Path):
    words = ("--config", "finetune", "--set", 'learn="identities"', "--set", "sampling.pivot=0.0")
    after = tuned(known, sets.zoe, tmp_path, *words)
    assert set(after.spaces) == {"toy_8_vertices", "my_rig"}
    assert after.identities == (*checkpoint.load(known).identities, "zoe/zoe")
    assert not changed(known, after)
    before, now = rows(known, after)
    assert torch.equal(torch.cat([now[:-2], now[-1:]]), before)
    assert not torch.equal(now[-2], before[-1])


def test_people_alone_cannot_learn_a_new_rig_nor_the_pivot(known: Path, sets: Sets, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"set sampling\.pivot to 0"):
        tuned(known, sets.zoe, tmp_path, "--config", "finetune", "--set", 'learn="identities"')
    with pytest.raises(ConfigError, match="Octopus is new to the model"):
        words = ("--set", 'learn="identities"', "--set", "sampling.pivot=0.0")
        tuned(known, sets.octopus, tmp_path, "--config", "finetune", *words)


# --- a rig of one's own ---


def test_space_names_the_controls_and_keeps_their_names_and_ranges(known: Path, sets: Sets, tmp_path: Path):
    after = tuned(known, sets.octopus, tmp_path, "--space", "my_octopus")
    (space,) = after.spaces.values()
    assert (space.name, space.channels, space.limits) == ("my_octopus", SLIDERS, tuple(LIMITS.values()))
    assert after.info.name == "own-rig"
    values = generated(after, 1e3 * np.random.default_rng(0).normal(size=16000).astype(np.float32))
    assert values.shape == (25, 4)
    lowest, highest = np.array(space.limits, np.float32).T
    assert (values >= lowest).all() and (values <= highest).all()


def test_a_taught_rig_is_evaluated_by_the_name_that_it_was_given(known: Path, sets: Sets, tmp_path: Path):
    tuned(known, sets.octopus, tmp_path, "--space", "my_octopus")
    words = (tmp_path / "tuned.safetensors", "--data", sets.octopus, "--space", "my_octopus", "--json")
    (table,) = json.loads(run("evaluate", *words))
    assert 0 < table["rows"][0]["BS-MVE"] < 2


def test_a_rig_rests_as_it_has_learnt_to(known: Path, sets: Sets, tmp_path: Path):
    """No answer to silence is subtracted: a slider may rest anywhere."""
    after = tuned(known, sets.octopus, tmp_path, "--space", "my_octopus")
    with torch.no_grad():
        after.model.heads["my_octopus"].layers[-1].weight.zero_()
        after.model.heads["my_octopus"].layers[-1].bias.copy_(torch.tensor([0.4, -0.1, 1.5, 0.0]))
    np.testing.assert_allclose(generated(after, np.zeros(16000, np.float32)), [[0.4, -0.1, 1.5, 0.0]] * 25, atol=1e-6)


def generated(loaded: LoadedModel, samples: np.ndarray) -> np.ndarray:
    planned = planning.plan(loaded, planning.Request())
    return np.concatenate([chunk.values for chunk in pipeline.generate(loaded, samples, planned)])


def test_space_wants_one_list_of_controls_and_a_name_without_dots(known: Path, sets: Sets, tmp_path: Path):
    with pytest.raises(CorpusError, match="other controls than"):
        train("--from", known, "--space", "x", "--data", sets.hero, sets.octopus, "--run", tmp_path / "run")
    with pytest.raises(CorpusError, match="without dots"):
        tuned(known, sets.octopus, tmp_path, "--space", "my.rig")
    with pytest.raises(ConfigError, match="no controls to name"):
        tuned(known, sets.octopus, tmp_path, "--space", "x", "--config", "default")


@pytest.mark.parametrize("limits", [{"Open": [0, 1]}, {"Open": 3}, [1, 2], {name: [1, 0] for name in SLIDERS}])
def test_limits_that_fit_no_control_are_one_sentence(tmp_path: Path, limits: object):
    folder = toy_sets.rig(tmp_path / "clips", names=SLIDERS, limits=limits)
    with pytest.raises(CorpusError, match=r"take00\.npz"):
        toy_sets.prepare("clips", folder, tmp_path / "out")


def test_a_control_that_moves_for_the_first_time_makes_all_clips_anew(tmp_path: Path):
    folder = tmp_path / "clips"
    toy_sets.rig(folder, names=("Open", "Smile"), still={"Brow": 0.5})
    prepared = toy_sets.prepare("clips", folder, tmp_path / "out")
    toy_sets.rig(tmp_path / "other", names=("Open", "Smile", "Brow"))
    for ending in ("npz", "wav"):
        shutil.copy(tmp_path / "other" / f"take00.{ending}", folder / f"take99.{ending}")
    (again,) = motion_set.read([toy_sets.prepare("clips", folder, tmp_path / "out")])
    assert again.folder == prepared
    assert again.space.channels == ("Open", "Smile", "Brow")
    first = next(clip for clip in again.clips if clip.name == "take01")
    np.testing.assert_array_equal(again.load(first).motion[:, 2], np.float32(0.5))


def test_quiet_clips_are_learnt_as_loud_as_the_pipeline_plays_them(tmp_path: Path):
    loud, quiet = (toy_sets.rig(tmp_path / name / "clips") for name in ("loud", "quiet"))
    for path in quiet.glob("*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, samples / 10, rate, subtype="FLOAT")
    heard = []
    for folder in (loud, quiet):
        (prepared,) = motion_set.read([toy_sets.prepare("clips", folder, folder.parent / "out")])
        heard.append(prepared.load(prepared.clips[0]).samples)
    np.testing.assert_allclose(*heard, atol=2e-3)
    assert speech_gain(heard[0]) == pytest.approx(1.0, abs=0.02)


def test_prepared_limits_are_written_down(sets: Sets):
    header = json.loads((sets.octopus / "data_set.json").read_text(encoding="utf-8"))
    assert header["space"]["limits"] == [list(pair) for pair in LIMITS.values()]
