# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of takes and moods are drawn from what the shipped model does."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from backend.training.diffusion import pictures

SPOKEN = Path(__file__).resolve().parents[2] / "demo" / "speech" / "demo.flac"


@pytest.fixture
def lines(monkeypatch) -> list[dict[str, dict[str, np.ndarray]]]:
    """Of every picture that is drawn: what its lines show, by row and label."""
    drawn = []

    def keep(figure) -> None:
        rows = {axes.get_ylabel(): {line.get_label(): line.get_ydata() for line in axes.lines} for axes in figure.axes}
        drawn.append({name: found for name, found in rows.items() if name})

    monkeypatch.setattr(plt, "close", keep)
    yield drawn
    monkeypatch.undo()
    plt.close("all")


def test_takes_share_lips_and_moods_differ(tmp_path, monkeypatch, lines):
    files = [tmp_path / "takes.png", tmp_path / "moods.png"]
    asked = [str(SPOKEN), "--takes", str(files[0]), "--moods", str(files[1])]
    monkeypatch.setattr(sys, "argv", ["pictures", *asked])
    pictures.main()
    assert all(file.stat().st_size > 10_000 for file in files)
    takes, moods = lines
    first, second, third = takes["lip aperture"].values()
    np.testing.assert_allclose(first, second, atol=0.02)
    np.testing.assert_allclose(first, third, atol=0.02)
    assert list(takes["eyeBlinkLeft"]) == ["take 1", "take 2", "take 3"]
    smiles = {name: float(values.mean()) for name, values in moods["mouthSmileLeft"].items()}
    assert smiles["happy"] > smiles["neutral"] + 0.2
    brows = {name: float(values.mean()) for name, values in moods["browDownLeft"].items()}
    assert brows["angry"] > brows["neutral"] + 0.2
