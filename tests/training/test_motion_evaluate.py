# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation on prepared data sets, through the command: figures, subjects, averaging, regions, published rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_sets
import training_commands

from backend import checkpoint
from backend.checkpoint import ModelCard
from backend.face import FaceSpace
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.training.errors import ConfigError, CorpusError
from backend.training.motion import motion_set


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_sets.faces_and_rig(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that gives the neutral face but for two sliders, which it always sets to 3 and 4."""
    heads = (HeadConfig("toy_8_vertices", toy_sets.DIM), HeadConfig("my_rig", 3))
    network = UniTalker(UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 3, heads))
    with torch.no_grad():
        network.heads["my_rig"].layers[0].bias.copy_(torch.tensor([3.0, 4.0, 0.0]))
    spaces = [
        FaceSpace("toy_8_vertices", "vertices", 30.0, toy_sets.DIM),
        FaceSpace("my_rig", "controls", 25.0, 3, toy_sets.SLIDERS),
    ]
    path = tmp_path_factory.mktemp("model") / "still.safetensors"
    checkpoint.save(path, network.eval(), spaces, ("T0/0", "T0/1"), ModelCard("still", "", "none"))
    return path


def evaluate(*words: object) -> str:
    return training_commands.run("evaluate", *words)


def rows(*words: object) -> dict[str, dict]:
    """Rows of all tables by title and name."""
    return {
        f"{table['title']}: {row['name']}": row
        for table in json.loads(evaluate(*words, "--json"))
        for row in table["rows"]
    }


def test_figures_are_those_of_the_neutral_face(prepared: Path, model: Path):
    found = rows(model, "--data", prepared)
    assert list(found) == ["T0, test: still", "hero, test: still"]
    faces, hero = motion_set.read([prepared])
    distances = [
        np.linalg.norm((faces.motion(clip) - faces.template(clip)).reshape(clip.frames, -1, 3), axis=2).mean(axis=1)
        for clip in faces.split("test")
    ]
    assert found["T0, test: still"]["MVE"] == pytest.approx(np.concatenate(distances).mean(), rel=1e-5)
    offsets = [hero.motion(clip) - [3, 4, 0] for clip in hero.split("test")]
    expected = np.linalg.norm(np.concatenate(offsets), axis=1).mean()
    assert found["hero, test: still"]["BS-MVE"] == pytest.approx(expected, rel=1e-5)


def test_subjects_clips_and_regions_by_option(prepared: Path, model: Path, tmp_path: Path):
    (tmp_path / "lips.txt").write_text("0, 2, 5")
    np.save(tmp_path / "brows.npy", np.array([1, 3]))
    region = ("--lips", f"toy_8_vertices={tmp_path}/lips.txt", "--upper-face", f"toy_8_vertices={tmp_path}/brows.npy")
    found = rows(model, "--data", prepared / "T0", "--split", "train", "--by-subject", *region)
    assert list(found) == [f"T0, train: {name}" for name in ("still", "T0/0", "T0/1")]
    assert {"LVE", "LVD", "UFVE", "FDD"} < found["T0, train: still"].keys()
    by_clip = rows(model, "--data", prepared / "T0", "--split", "train", "--by-clip")
    assert by_clip["T0, train: still"]["MVE"] != found["T0, train: still"]["MVE"]
    styled = rows(model, "--data", prepared / "T0", "--styles", 2)
    assert styled["T0, test: still"]["diversity"] == 0


def test_published_rows_stand_below_ours(tmp_path: Path, model: Path):
    folder = toy_sets.prepare("unitalker", toy_sets.faces(tmp_path / "T0"), tmp_path / "out")
    header = json.loads((folder / motion_set.HEADER).read_text())
    header["space"]["name"] = "FLAME_5023_vertices"
    (folder / motion_set.HEADER).write_text(json.dumps(header))
    loaded = checkpoint.load(model)
    config = UniTalkerConfig(
        loaded.model.config.encoder, "conv", 8, 3, (HeadConfig("FLAME_5023_vertices", toy_sets.DIM),)
    )
    flame = FaceSpace("FLAME_5023_vertices", "vertices", 30.0, toy_sets.DIM)
    checkpoint.save(tmp_path / "m.safetensors", UniTalker(config), [flame], ("a", "b"), ModelCard("mine", "", "none"))
    text = evaluate(tmp_path / "m.safetensors", "--data", folder, "--markdown")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[2].startswith("| mine |")
    assert any(line.startswith("| SelfTalk |") for line in lines)
    assert "SelfTalk" not in evaluate(tmp_path / "m.safetensors", "--data", folder, "--model-unit")


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (["--split", "test-a"], CorpusError, "no clip in the split test-a"),
        (["--split", "exam"], ConfigError, "no split exam; choose one of train, val"),
        (["--lips", "lips.txt"], ConfigError, "SPACE=FILE"),
        (["--lips", "nobody=lips.txt"], ConfigError, "region file for nobody"),
        (["--lips", "toy_8_vertices=nowhere.txt"], CorpusError, r"nowhere\.txt"),
    ],
)
def test_wrong_wishes_are_one_sentence(prepared: Path, model: Path, words: list[str], error: type, sentence: str):
    with pytest.raises(error, match=sentence):
        evaluate(model, "--data", prepared / "T0", *words)


def test_a_space_that_the_model_does_not_speak_is_named(tmp_path: Path, model: Path):
    strange = toy_sets.rig(tmp_path / "strange", space="octopus")
    other = toy_sets.rig(tmp_path / "other", names=("brow", "open", "smile"))
    folders = [toy_sets.prepare("clips", folder, tmp_path / "out") for folder in (strange, other)]
    with pytest.raises(CorpusError, match=r"strange is of octopus, and still speaks toy_8_vertices, my_rig only"):
        evaluate(model, "--data", folders[0])
    with pytest.raises(CorpusError, match=r"my_rig of .*other has other numbers"):
        evaluate(model, "--data", folders[1])
