# SPDX-License-Identifier: GPL-3.0-or-later
"""A teacher and the chain of its students on two FaceSpaces, through the commands: train, distill, resume."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_sets
from training_commands import metrics, run, settings

from backend import catalogue, checkpoint
from backend.models.diffusion_talker import DiffusionTalker
from backend.training import commands
from backend.training.diffusion import config, distill, talker_model, train
from backend.training.errors import ConfigError
from backend.training.motion import motion_set

pytestmark = pytest.mark.slow  # a teacher and a student: half a minute on one core
torch.set_num_threads(1)
CONFIG = commands.CONFIGS / "diffusion_tiny.toml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_sets.faces_and_rig(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def taught(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a teacher of 4 steps and a run of its student of 2, and the processor seconds that both took."""
    folder, began = tmp_path_factory.mktemp("taught"), time.process_time()
    common = ("--config", CONFIG, "--data", prepared, "--device", "cpu", *settings())
    run("train", *common, "--run", folder / "teacher", "--output", folder / "teacher.safetensors")
    answer = run(
        "distill",
        folder / "teacher.safetensors",
        *common,
        *("--run", folder / "students", "--output", folder / "student.safetensors"),
    )
    (folder / "seconds.txt").write_text(str(time.process_time() - began))
    (folder / "answer.md").write_text(answer)
    return folder


def model_of(path: Path) -> DiffusionTalker:
    model = checkpoint.load(path).model
    assert isinstance(model, DiffusionTalker)
    return model


def settings_of(*changes: str) -> config.DiffusionConfig:
    from backend.training.config import parse, read_table

    return parse(config.DiffusionConfig, read_table(CONFIG, list(changes)), CONFIG)


def test_a_teacher_learns_to_take_noise_off(prepared: Path, taught: Path):
    rows = metrics(taught / "teacher")
    assert {"motion", "velocity", "contrast", "enhancer"} < rows[0]["losses"].keys()
    assert rows[-1]["figures"]["unexplained"] < 0.5
    loaded = checkpoint.load(taught / "teacher.safetensors")
    assert list(loaded.spaces) == ["toy_8_vertices", "my_rig"]
    assert loaded.identities == ("T0/0", "T0/1", "hero/hero")
    sets = motion_set.read([prepared])
    hero = next(found for found in sets if found.name == "hero")
    clip = hero.load(hero.split("val")[0])
    row = torch.tensor([loaded.identities.index("hero/hero")])
    motion = loaded.model.predict(torch.from_numpy(clip.samples)[None], "my_rig", len(clip.motion), row)[0]
    drive = np.corrcoef(motion[:, :2].flatten(), clip.motion[:, :2].flatten())[0, 1]
    assert drive > 0.7


def test_a_student_ends_in_one_step_where_its_teacher_ends_in_two(prepared: Path, taught: Path):
    """Ten times closer than an untrained model, closer than the teacher taking larger steps, and learnt in a minute."""
    settings, sets = settings_of(), motion_set.read([prepared])
    teacher = talker_model.of_file(taught / "teacher.safetensors")
    student = model_of(taught / "student.safetensors")
    assert (teacher.model.config.steps, student.config.steps) == (4, 2)
    hasty = talker_model.student(teacher, 2, None, seed=1).model
    untrained = talker_model.teacher(settings, sets).model
    fresh = DiffusionTalker(student.config)
    fresh.load_state_dict({**untrained.state_dict()})
    batches = train.validation_batches(sets, teacher, settings)
    errors = {
        name: sum(distill.lesson_error(model, teacher.model, batch, teacher.rates) for batch in batches)
        for name, model in (("student", student), ("hasty", hasty), ("untrained", fresh))
    }
    assert errors["student"] < errors["untrained"] / 10
    assert errors["student"] < errors["hasty"] / 2
    assert float((taught / "seconds.txt").read_text()) < 60


def test_a_student_shares_with_its_teacher_all_but_the_denoiser(taught: Path):
    teacher, student = (model_of(taught / f"{name}.safetensors").state_dict() for name in ("teacher", "student"))
    changed = {name.split(".")[0] for name, value in teacher.items() if not torch.equal(value, student[name])}
    assert changed == {"denoiser", "heads"}


def test_a_student_is_evaluated_as_every_model(prepared: Path, taught: Path):
    tables = json.loads(run("evaluate", taught / "student.safetensors", "--data", prepared, "--json"))
    assert [set(table["rows"][0]) >= {name} for table, name in zip(tables, ("MVE", "BS-MVE"), strict=True)] == [
        True
    ] * 2
    assert tables[0]["rows"][0]["MVE"] < 0.5


def test_an_encoder_comes_from_another_model_and_may_stay_as_it_is(prepared: Path, taught: Path, tmp_path: Path):
    """The teacher of the 2025 version listens with a pretrained encoder that does not learn."""
    quick = ("optimizer.steps=2", "optimizer.validate_every=2", "model.frozen_encoder=true", "seed=5")
    common = ("--config", CONFIG, "--data", prepared, "--device", "cpu", *settings(*quick))
    options = (
        "--run",
        tmp_path / "run",
        "--output",
        tmp_path / "m.safetensors",
        "--from",
        taught / "teacher.safetensors",
    )
    run("train", *common, *options)
    old, new = (model_of(path).encoder.state_dict() for path in (options[-1], tmp_path / "m.safetensors"))
    assert all(torch.equal(value, new[name]) for name, value in old.items())
    with pytest.raises(ConfigError, match="name it by --from"):
        run("train", *common, "--run", tmp_path / "other")
    with pytest.raises(ConfigError, match="has another encoder than the config"):
        run("train", *common, "--set", "model.encoder.width=24", "--run", tmp_path / "other", *options[-2:])


def test_every_stage_is_tabulated_against_the_teacher(taught: Path):
    rows = json.loads((taught / "students" / distill.TABLE).read_text())
    assert [row["steps"] for row in rows] == [4, 2]
    assert rows[0]["apart"] == 0 < rows[1]["apart"] < 0.3
    assert 0.7 < rows[1]["spread"] / rows[0]["spread"] < 1.3
    assert (taught / "answer.md").read_text().count("\n") == 3


def test_a_finished_stage_is_not_repeated_and_a_killed_one_goes_on(prepared: Path, taught: Path, tmp_path: Path):
    before = {path: path.stat().st_mtime_ns for path in (taught / "students" / "2-steps").iterdir()}
    log = metrics(taught / "students" / "2-steps")
    common = ("--config", CONFIG, "--data", prepared, "--device", "cpu", "--run", taught / "students")
    run("distill", taught / "teacher.safetensors", *common, *settings())
    assert metrics(taught / "students" / "2-steps") == log
    best = taught / "students" / "2-steps" / "best.safetensors"
    assert best.stat().st_mtime_ns == before[best]
    with pytest.raises(ConfigError, match="another config"):
        run("distill", taught / "teacher.safetensors", *common, *settings("sampling.pivot=0.3"))


def test_a_smaller_student_hears_as_its_teacher_does(prepared: Path, taught: Path):
    changes = (
        *("distillation.optimizer.steps=20", "distillation.optimizer.validate_every=20"),
        'distillation.student={encoder={kind="mel", width=16, blocks=1, bands=20}, denoiser={width=24, blocks=2}}',
        "distillation.losses={motion=1.0, alignment=1.0}",
    )
    folder = taught / "small"
    common = ("--config", CONFIG, "--data", prepared, "--device", "cpu", "--run", folder)
    run("distill", taught / "teacher.safetensors", *common, *settings(*changes))
    assert "alignment" in metrics(folder / "2-steps")[0]["losses"]
    small, teacher = model_of(folder / "diffusion-tiny-2.safetensors"), model_of(taught / "teacher.safetensors")
    sizes = [sum(parameter.numel() for parameter in model.parameters()) for model in (small, teacher)]
    assert sizes[0] < sizes[1] / 2
    assert small.config.aligned_width == teacher.encoder.width


@pytest.mark.parametrize(("last", "sentence"), [(3, "does not lead to 3"), (4, "does not lead to 4")])
def test_a_chain_that_halving_does_not_make_is_refused(prepared: Path, taught: Path, last: int, sentence: str):
    common = ("--config", CONFIG, "--data", prepared, "--device", "cpu", "--run", taught / "never")
    with pytest.raises(ConfigError, match=sentence):
        run("distill", taught / "teacher.safetensors", *common, *settings(f"distillation.last={last}"))


def test_a_student_has_no_schedule_of_its_own():
    with pytest.raises(ConfigError, match="times"):
        settings_of("distillation.student={times=8}")


def test_halving_goes_on_to_the_last_student():
    assert distill.halvings(512, 512, 2) == [256, 128, 64, 32, 16, 8, 4, 2]


def test_what_is_no_teacher_is_refused(prepared: Path, tmp_path: Path):
    common = ("--data", prepared, "--device", "cpu", "--run", tmp_path)
    default = catalogue.find("default")
    with pytest.raises(ConfigError, match="no DiffusionTalker"):
        run("distill", default, "--config", CONFIG, *common)
    with pytest.raises(ConfigError, match="no config of a diffusion model"):
        run("distill", default, "--config", "unitalker_tiny", *common)
