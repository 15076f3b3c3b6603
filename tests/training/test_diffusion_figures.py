# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of DiffusionTalker: blinks, speeds, statistics of people, and the page that they are put into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import toy_sets

from backend.face import ARKIT_CHANNELS
from backend.training.diffusion import talker_model
from backend.training.diffusion.config import DiffusionConfig
from backend.training.diffusion.heard import FOLDER, Heard
from backend.training.diffusion.measure import lifelike, measured, people, report, scenes, steps
from backend.training.errors import CorpusError
from backend.training.motion import motion_set
from backend.training.motion.batches import Source

torch.set_num_threads(1)


def channel(name: str) -> int:
    return ARKIT_CHANNELS.index(name)


def motion_of(**curves: np.ndarray | float) -> np.ndarray:
    motion = np.zeros((120, 52), np.float32)
    for name, values in curves.items():
        motion[:, channel(name)] = values
    return motion


FOUND = report.Found(
    (
        steps.StepsRow(512, 0.1, 0.0, 0.02, 0.0, 0.0, 1.0),
        steps.StepsRow(8, 0.103, 0.03, 0.019, 0.08, 0.4, 60.0),
        steps.StepsRow(2, 0.12, 0.2, 0.01, 0.5, 0.8, 250.0),
    ),
    0.97,
    0.4,
    {
        "all": {"jaw range": 0.95, "rounding": 0.9, "asymmetry": 0.85},
        "own speech": {"jaw range": 0.85, "rounding": 0.7, "asymmetry": 0.85},
    },
    {
        name: {"closures": 300.0, "recall": recall, "precision": 0.9, "f1": 0.9, "vowel_jaw": 0.8, "silence_p95": 0.01}
        for name, recall in (("default", 0.95), ("diffusion", 0.94))
    },
    {"blinks a minute": 14.0, "mean speed": 0.1},
    {"blinks a minute": 10.0, "mean speed": 0.11},
    {"happy": (0.95, 0.9)},
    8,
    300.0,
)


# --- what is measured ---


def test_a_lid_that_trembles_near_shut_blinks_once():
    assert lifelike.count_blinks(np.array([0, 0.9, 0.55, 0.9, 0.1, 0.5, 0.1, 1.0, 0])) == 2
    assert lifelike.count_blinks(np.array([1.0, 0.9, 0.9])) == 0


def test_blinks_are_counted_a_minute_and_speeds_in_weight_a_second():
    blinking = np.zeros(120)
    blinking[30:34] = 1.0
    found = lifelike.figures([motion_of(eyeBlinkLeft=blinking), motion_of()], 30.0)
    assert found["blinks a minute"] == 60 / 8
    upper = sum(name.startswith(("brow", "eye")) for name in ARKIT_CHANNELS)
    assert found["mean speed"] == pytest.approx(2 * 30 / upper / 238)
    assert found["speed, 50 %"] == 0


def test_statistics_tell_a_wide_jaw_and_a_leaning_smile():
    opening = np.abs(np.sin(np.linspace(0, 9, 120)))
    wide = people.statistics(motion_of(jawOpen=0.6 * opening, mouthSmileLeft=0.3, mouthSmileRight=0.1)[None])
    small = people.statistics(motion_of(jawOpen=0.2 * opening, mouthSmileLeft=0.2, mouthSmileRight=0.2)[None])
    assert wide[0] == pytest.approx(3 * small[0])
    assert (wide[2], small[2]) == (pytest.approx(0.5), pytest.approx(0))


@pytest.fixture
def calm() -> scenes.Scene:
    return scenes.Scene("ann", {}, np.zeros((0, 0)), np.zeros((1, 52)))


@pytest.mark.parametrize(("found", "sentence"), [(False, "holds out clips of 4 s"), (True, "did not learn from ann")])
def test_data_that_nothing_can_be_measured_on_is_one_sentence(
    calm: scenes.Scene, monkeypatch: pytest.MonkeyPatch, found: bool, sentence: str
):
    monkeypatch.setattr(scenes, "of_sets", lambda *_: [calm] if found else [])
    teacher = talker_model.Talker(torch.nn.Module(), {}, ("bob",))
    with pytest.raises(CorpusError, match=sentence):
        measured._held_out((), teacher)


def test_scenes_are_chosen_from_all_over(calm: scenes.Scene):
    names = [steps.spaced([replace(calm, identity=str(number)) for number in range(100)], 3)][0]
    assert [scene.identity for scene in names] == ["0", "50", "99"]


# --- the page ---


def test_what_holds_and_what_is_missed_is_said():
    holds = {what: held for what, held, _ in report.aims(FOUND)}
    assert not holds["blink rate within 20 % of the data"]
    assert sum(holds.values()) == len(holds) - 1
    text = report.markdown(FOUND)
    assert "| blink rate within 20 % of the data | -28.6% | **no** |" in text
    assert "| 8 | 0.1030 | +3.0% |" in text
    assert "of jaw range, annotated and performed | 0.95 |" in text and "own speech: rounding | 0.70 |" in text


def test_figures_replace_earlier_ones_on_a_page(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nbehind\n")
    report.put(page, "new")
    report.put(page, "newer")
    assert page.read_text() == f"before\n\n{report.BEGIN}\n\nnewer\n\n{report.END}\n\nbehind\n"
    page.write_text("no marks")
    with pytest.raises(CorpusError, match="to put the figures between"):
        report.put(page, "new")


# --- what is heard is kept ---


def test_what_is_heard_in_a_clip_is_kept_beside_it(tmp_path: Path):
    from backend.training import commands
    from backend.training.config import parse, read_table

    toy_sets.prepare("clips", toy_sets.rig(tmp_path / "hero"), tmp_path / "out")
    sets = motion_set.read([tmp_path / "out"])
    path = commands.CONFIGS / "diffusion_tiny.toml"
    talker = talker_model.teacher(parse(DiffusionConfig, read_table(path, []), path), sets)
    source = Source(sets[0], sets[0].split("train")[0])
    first = Heard(talker.model).clip(source)
    assert first.features.shape == (source.clip.frames, talker.model.encoder.width)
    assert len(list((sets[0].folder / FOLDER).rglob("*.npy"))) == 1
    sound = sets[0].folder / source.clip.audio
    soundfile.write(sound, np.zeros(source.clip.samples), 16000)
    again = Heard(talker.model).clip(source)
    np.testing.assert_array_equal(again.features, first.features)
    next(talker.model.encoder.parameters()).data.zero_()
    assert not np.array_equal(Heard(talker.model).clip(source).features, first.features)
