# SPDX-License-Identifier: GPL-3.0-or-later
"""The miniature of the paper: its face, its annotation conventions, its plan and its tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from backend import checkpoint
from backend.__main__ import main
from backend.face import ETF_CHANNELS
from backend.foreign import flame_file
from backend.models.blendshapes import Blendshapes
from backend.models.flame import Flame
from backend.training.errors import ConfigError, CorpusError
from backend.training.miniature import bench, commands, conventions, ear, layouts, mask, plan, report
from backend.training.miniature.layouts import Take
from backend.training.miniature.mask import CONTROLS
from backend.training.miniature.runs import Result
from backend.training.miniature.sets import GRID, PHONES, RINGS, SETS
from backend.training.readers import unitalker_release


def controls(**values: float) -> np.ndarray:
    """float32 [1, 18]."""
    return np.array([[values.get(name, 0.0) for name in CONTROLS]], np.float32)


def gap(mesh: mask.Mask, values: np.ndarray) -> float:
    """How much farther apart than at rest the lips are in the middle of the mouth, in metres."""
    line = 0.11 * mask.MOUTH
    is_middle = (np.abs(mesh.points[:, 0]) < 0.012) & (np.abs(mesh.points[:, 1] - line) < 0.008)
    middle = np.flatnonzero(is_middle)
    moved = (mesh.pose(values)[0] - mesh.points)[middle, 1]
    above = mesh.points[middle, 1] > line
    return float(moved[above].mean() - moved[~above].mean())


@pytest.mark.parametrize("mesh", [mask.of_rows(), mask.of_rings(), conventions.parameter_mesh()])
def test_an_open_jaw_parts_the_lips_and_mouth_close_shuts_them(mesh: mask.Mask):
    opened = gap(mesh, controls(jawOpen=0.5))
    assert 0.006 < opened < 0.02
    assert abs(gap(mesh, controls(jawOpen=0.5, mouthClose=0.485))) < 0.4 * opened
    still = mesh.upper_face
    assert np.allclose(mesh.pose(controls(jawOpen=0.5))[0][still], mesh.points[still], atol=1e-4)


def test_the_meshes_are_of_unlike_topology():
    rows, rings = mask.of_rows(), mask.of_rings()
    assert len(rows.points) != len(rings.points)
    assert all(len(mesh.lips) > 20 and len(mesh.upper_face) > 20 for mesh in (rows, rings))


def test_arkit_weights_move_their_mesh_as_the_controls_move_the_mask():
    mesh = conventions.parameter_mesh()
    values = controls(jawOpen=0.4, mouthSmile=0.5, mouthPucker=0.2, browInnerUp=0.3)
    weights = torch.from_numpy(conventions.arkit_weights(values))
    moved = Blendshapes(mesh.points, conventions.arkit_mesh(mesh))(weights).numpy()
    assert np.abs(moved - mesh.pose(values)).max() < 1.5e-3  # a straight jaw in place of one that turns
    assert np.abs(moved - mesh.points).max() > 5e-3


def test_flame_parameters_turn_the_jaw_of_the_flame_like_head(tmp_path: Path):
    head = conventions.FlameLike(conventions.parameter_mesh())
    np.savez(tmp_path / "head.npz", **head.arrays())
    flame = Flame(flame_file.read(tmp_path / "head.npz"))
    values = controls(jawOpen=0.5)
    parameters = head.parameters(values, np.zeros(3), np.random.default_rng(1))
    parameters[:, 300:400] = 0  # the noise of the fitting
    vertices = flame.vertices_from_413(torch.from_numpy(parameters)).numpy()
    assert np.abs(vertices - head.mesh.pose(values)).max() < 1e-4


def test_a_fitted_face_never_quite_shuts_and_a_rig_has_its_own_sliders():
    shut = np.repeat(controls(jawOpen=0.4, mouthClose=0.4), 20, axis=0)
    fitted = conventions.fitted_weights(shut, np.random.default_rng(1))
    assert fitted.shape == (20, 52)
    assert 0.2 < fitted[:, ETF_CHANNELS.index("mouthClose")].mean() < 0.35
    assert conventions.sliders(shut).shape == (20, len(conventions.SLIDERS))


def test_nobody_speaks_in_two_data_sets():
    voices = [voice.name for about in (*SETS, PHONES) for voice in about.voices]
    assert len(set(voices)) == len(voices)
    assert len({about.space for about in SETS}) >= 5
    assert {about.fps for about in SETS} >= {25.0, 30.0, 60.0}


def takes(folder: Path, motion: np.ndarray) -> list[Take]:
    """Two speakers with ten sentences each that all sound and move alike."""
    soundfile.write(folder / "sound.wav", np.zeros(16000), 16000)
    return [Take(who, number, folder / "sound.wav", lambda: motion) for who in (0, 1) for number in range(10)]


def test_shares_of_a_data_set_have_fewer_sentences_of_everybody_and_the_same_tests(tmp_path: Path):
    spoken = takes(tmp_path, np.zeros((25, 6), np.float32))
    base = tmp_path / "base"
    layouts.write_unitalker(base, GRID, spoken, np.zeros((2, 6)), 1.0)
    counts = {}
    for fewer, speakers in ((1, 0), (2, 0), (8, 0), (1, 1)):
        home = tmp_path / f"share-{fewer}-{speakers}"
        layouts.write_lists(home, base, GRID, spoken, 1.0, fewer, speakers)
        np.save(home / "id_template.npy", np.zeros((2, 6), np.float32))
        (found,) = unitalker_release.read(home)
        splits = [clip.split for clip in found.clips]
        counts[fewer, speakers] = splits.count("train"), splits.count("test")
        assert all(clip.annotation.is_file() for clip in found.clips)
    assert counts == {(1, 0): (10, 6), (2, 0): (4, 6), (8, 0): (2, 6), (1, 1): (5, 3)}


def test_millimetres_become_metres_by_the_scale_in_the_lists(tmp_path: Path):
    spoken = takes(tmp_path, np.full((60, 6), 2.0, np.float32))
    layouts.write_unitalker(tmp_path / "set", RINGS, spoken, np.zeros((2, 6)), 0.001)
    (found,) = unitalker_release.read(tmp_path / "set")
    assert found.space.scale == 0.001
    lists = tmp_path / "set" / "train.json"
    content = json.loads(lists.read_text())
    lists.write_text(json.dumps(content | {"info": {"scale": "mm"}}))
    with pytest.raises(CorpusError, match=r"scale 'mm' in the info of .*train\.json"):
        unitalker_release.read(tmp_path / "set")


def test_every_run_comes_after_what_it_begins_with():
    runs = list(plan.chosen([], seeds=2))
    made = set()
    for variant, seed in runs:
        assert variant.begin in (plan.SCRATCH, plan.EAR) or {(variant.begin, 1), (variant.begin, seed)} & made
        made.add((variant.name, seed))
    assert [seed for variant, seed in runs if variant.name == plan.SPEECH] == [1]
    few = [variant.name for variant, _ in plan.chosen(["unified-but-one-to-1of4"], seeds=1)]
    assert few == [plan.SPEECH, plan.LEAVE_OUT, "unified-but-one-to-1of4"]


def test_the_ear_hears_which_tone_is_played(tmp_path: Path):
    encoder = checkpoint.load(ear.write(tmp_path / "ear.safetensors")).model.encoder
    seconds = torch.arange(16000) / 16000
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * seconds) * (seconds > 0.5) for hertz in (300, 1000, 4000)])
    with torch.no_grad():
        heard = encoder.network.feature_extractor(tones)[:, :, -20:].mean(dim=2)
    loudest = heard.argmax(dim=1)
    assert (loudest[1:] > loudest[:-1] + 5).all()


def result(variant: str, seed: int, error: float) -> Result:
    return Result(variant, seed, (), 10, 30.0, {about.name: {"LVE": error} for about in SETS}, {})


def test_tables_show_the_mean_and_the_deviation_between_seeds(tmp_path: Path):
    runs = [result(plan.UNIFIED, 1, 2e-5), result(plan.UNIFIED, 2, 4e-5)]
    results = report.gathered(runs, {about.name: {"LVE": 6e-5} for about in SETS})
    (line,) = [line for line in report.one_or_many(results).splitlines() if line.startswith("| one model |")]
    assert line.count("3.000 ± 1.414") == len(SETS)
    assert line.endswith("| 0.500 ± 0.236 | – |")


def test_tables_are_put_between_their_marks_and_the_rest_stays(tmp_path: Path):
    document = tmp_path / "experiments.md"
    document.write_text(f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nWhat it means.\n")
    report.write(document, "new\n")
    assert document.read_text() == f"# Title\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n\nWhat it means.\n"


def test_what_the_user_got_wrong_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["experiments", str(tmp_path / "new"), "--only", "unifed"]) == 2
    assert "no model unifed in the plan" in capsys.readouterr().err
    commands.claim(tmp_path, bench.QUICK)
    with pytest.raises(ConfigError, match="another size"):
        commands.claim(tmp_path, bench.FULL)


@pytest.mark.slow
def test_quick_experiments_make_the_bench_and_all_tables_and_a_second_call_trains_nothing(tmp_path: Path):
    document, picture = tmp_path / "tables.md", tmp_path / "transfer.png"
    call = ["experiments", str(tmp_path / "all"), "--quick", "--seeds", "1", "--output", str(document)]
    assert main([*call, "--picture", str(picture)]) == 0
    tables = document.read_text()
    assert tables.count("| relative |") == 3
    assert tables.count("–") == 4  # what is compared with itself, and a still face
    assert picture.stat().st_size > 10_000
    results = sorted((tmp_path / "all" / "results").iterdir())
    assert len(results) == len(plan.variants())
    before = [path.stat().st_mtime_ns for path in results]
    assert main(call) == 0
    assert [path.stat().st_mtime_ns for path in results] == before


@pytest.mark.slow
def test_the_commands_work_on_the_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """prepare, train and evaluate by hand, on what the bench wrote as published data sets."""
    bench.make(tmp_path, bench.QUICK, processes=1)
    published, prepared = tmp_path / "published", tmp_path / "mine"
    for about in SETS:
        words = ["prepare", "--layout", about.layout, str(published / about.name), "--name", about.name]
        assert main([*words, "--output", str(prepared), "--components", "16", "--strict"]) == 0
    model = tmp_path / "model.safetensors"
    words = ["train", "--config", "unitalker_tiny", "--data", str(prepared), "--run", str(tmp_path / "run")]
    assert main([*words, "--output", str(model), "--set", "schedule.epochs=3", "--threads", "1"]) == 0
    flame = f"{SETS[3].space}={tmp_path / 'meshes' / SETS[3].space}.npz"
    lips = f"{GRID.space}={tmp_path / 'regions' / GRID.space}-lips.txt"
    capsys.readouterr()
    words = ["evaluate", str(model), "--data", str(prepared), "--mesh", flame, "--lips", lips, "--json"]
    assert main(words) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [table["title"].split(",")[0] for table in tables] == sorted(about.name for about in SETS)
    by_set = {table["title"].split(",")[0]: table["rows"][0] for table in tables}
    assert by_set["grid"]["LVE"] > 0
    assert by_set["flame"]["MVE"] > 0
    assert by_set["captured"]["BS-LVE"] > 0
