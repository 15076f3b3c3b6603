# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo of a rig of one's own: its animator, its figures, and in short the whole way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend import checkpoint
from backend.phonetics.phones import Phone
from demo.own_rig import figures
from demo.own_rig.animator import LIMITS, SLIDERS, animate
from demo.own_rig.lines import STRANGER, Line

ROOT = Path(__file__).resolve().parents[2]
FPS = 100


def curves(*sounds: tuple[str, float]) -> dict[str, np.ndarray]:
    """Sliders by name, 100 frames a second, for sounds and their lengths between two pauses."""
    phones, end = [], 0.0
    for name, length in (("sil", 0.3), *sounds, ("sil", 0.3)):
        phones.append(Phone(name, end, end + length))
        end += length
    values = animate(phones, "arpabet").at(np.arange(round(end * FPS)) / FPS)
    return dict(zip(SLIDERS, values.T, strict=True))


def test_the_animator_shuts_the_lips_a_little_before_the_sound():
    moved = curves(("aa", 0.2), ("m", 0.1), ("aa", 0.2))
    assert moved["Press"].max() == pytest.approx(0.8)
    assert 0.45 < np.argmax(moved["Press"]) / FPS < 0.55
    assert moved["Open"][40] > 0.9
    assert moved["Open"][52] < 0.2


def test_every_slider_moves_within_its_limits_and_rests_in_silence():
    moved = curves(*((name, 0.1) for name in ("b", "aa", "f", "iy", "l", "ae", "sh", "uw", "w", "er")))
    for name, values in moved.items():
        low, high = LIMITS[name]
        assert low <= values.min() and values.max() <= high
        assert values[[0, -1]] == pytest.approx([0, 0], abs=0.05)
        assert np.ptp(values) > 0.2


def test_short_consonants_that_nobody_sees_get_no_pose():
    assert not curves(("aa", 0.2), ("t", 0.04), ("aa", 0.2))["TongueUp"].any()
    assert curves(("aa", 0.2), ("t", 0.1), ("aa", 0.2))["TongueUp"].any()


def test_figures_tell_a_good_answer_from_a_mean_pose():
    random = np.random.default_rng(0)
    lines = [Line("a", "", "slt", True, 50), Line("b", "", "slt", False, 50), Line("c", "", STRANGER, False, 50)]
    poses = {line.name: random.random((50, 8)) for line in lines}
    spoken = {"b": poses["b"] * 0.5, "c": np.full((50, 8), poses["a"].mean(axis=0))}
    known, stranger = figures.measure(lines, poses, spoken).values()
    assert known["all"].correlation == pytest.approx(1.0)
    assert known["Open"].error == pytest.approx(0.5 * poses["b"][:, 0].mean())
    assert stranger["all"].correlation == 0.0
    assert stranger["all"].error == pytest.approx(stranger["all"].mean_error)


@pytest.mark.slow
def test_the_whole_way_in_short(tmp_path: Path):
    """Speech, animation, the add-on's export, prepare, train, and the add-on again with the taught model."""
    command = [sys.executable, "-m", "demo.own_rig", "--quick", "--output", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / "clips").glob("*.npz"))) == 4
    loaded = checkpoint.load(tmp_path / "demo_sliders.safetensors")
    (space,) = loaded.spaces.values()
    assert (space.name, space.channels) == ("demo_sliders", SLIDERS)
    assert space.limits == tuple(LIMITS.values())
    table = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    known = table[figures.GROUPS[0]]["all"]
    assert known["correlation"] > 0.1
    assert known["error"] < 1.3 * known["mean_error"]
    assert (tmp_path / "own_rig.png").stat().st_size > 20_000
