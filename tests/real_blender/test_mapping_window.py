# SPDX-License-Identifier: GPL-3.0-or-later
"""The Rig Mapping panel in the real window: a known face, a stranger, the list in use."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def test_rig_mapping_is_drawn_in_every_state(window, tmp_path):
    done = window.run("--python", HERE / "photograph_mapping.py", "--", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    pictures = {path.stem: path.read_bytes() for path in tmp_path.glob("*.png")}
    assert set(pictures) == {"mapping known", "mapping stranger", "mapping list"}
    assert len(set(pictures.values())) == 3
