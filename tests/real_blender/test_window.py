# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface itself: pictures of its states, how long it is blocked, and undo."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STATES = ("ready", "disabled", "running", "cancelled", "result", "warning", "error")


def test_panel_can_be_photographed_in_every_state(window, tmp_path):
    done = window.run("--python", HERE / "photograph_panel.py", "--", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    pictures = {state: (tmp_path / f"{state}.png").read_bytes() for state in STATES}
    assert len(set(pictures.values())) == len(STATES)


def test_two_clicks_from_the_installed_package_to_a_talking_head(window, tmp_path):
    done = window.run("--python", HERE / "photograph_walkthrough.py", "--", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    pictures = {picture.stem: picture.read_bytes() for picture in tmp_path.glob("*.png")}
    assert sorted(pictures) == ["opened", "spoken", "walkthrough", "welcome"]
    assert len(set(pictures.values())) == 4
    said = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert said == "“Demo Head” speaks: 52 shape keys, frames 7 to 164."


def test_interface_stays_alive_during_a_minute_of_speech(window, tmp_path):
    done = window.run("--python", HERE / "measure_interface.py", "--", tmp_path, 60)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "interface.json").read_text(encoding="utf-8"))
    assert "speaks" in result["message"]
    assert result["longest_step_processor"] < 0.05


@pytest.mark.slow
def test_interface_stays_alive_during_ten_minutes_of_speech(window, tmp_path):
    done = window.run("--python", HERE / "measure_interface.py", "--", tmp_path, 600, seconds=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "interface.json").read_text(encoding="utf-8"))
    assert "speaks" in result["message"]
    assert result["longest_step_processor"] < 0.05


def test_sub_panels_can_be_photographed(window, tmp_path):
    done = window.run("--python", HERE / "photograph_writing.py", "--", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "keys.png").read_bytes() != (tmp_path / "queue.png").read_bytes()


def test_takes_are_flipped_through_in_the_window(window, tmp_path):
    script = HERE.parent / "data" / "tiny_talker.py"
    subprocess.run([window.environment["MOUTHPIECE_BACKEND_PYTHON"], str(script), str(tmp_path)], check=True)
    done = window.run("--python", HERE / "photograph_takes.py", "--", tmp_path, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    pictures = {(tmp_path / f"{name}.png").read_bytes() for name in ("performance", "take 1", "take 2")}
    assert len(pictures) == 3


def test_a_training_clip_is_exported_while_the_interface_lives_on(window, tmp_path):
    done = window.run("--python", HERE / "export_in_window.py", "--", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "export.json").read_text(encoding="utf-8"))
    assert told["outcome"].startswith("“demo”: 6.6 s of Open of “Demo Head” are in")
    assert told["steps"] > 1
    assert told["longest_step_processor"] < 0.1
    assert told["frame_stays"]
    assert told["scenes"] == 1


def test_undo_and_a_drag_in_progress(window, tmp_path):
    done = window.run("--enable-event-simulate", "--python", HERE / "undo_in_window.py")
    assert done.returncode == 0, done.stdout + done.stderr
