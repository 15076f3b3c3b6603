# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthesize: what becomes of a corpus where engines or voices are missing."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from training_commands import run

from backend.__main__ import main
from backend.phonetics.phones import Phone
from backend.training import commands
from backend.training.errors import EngineError
from backend.training.speech import synthesize
from backend.training.speech.sounds import bank
from backend.training.speech.spoken import Prompt, Spoken
from backend.training.speech.synthesize import ENGINES, plan, read_plan

ROOT = Path(__file__).resolve().parents[2]
PLAN = """
[[sets]]
name = "known"
engine = "flite"
language = "en"
voices = ["slt"]
utterances = 2

[[sets]]
name = "missing"
engine = "festival"
language = "en"
voices = ["kal_diphone", "czech_ph"]
utterances = 8
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A plan of three voices."""
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without programs."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def only_flite(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose only engine hisses; this process alone knows it."""

    def speak(_prompt: Prompt) -> Spoken:
        hiss = bank(1, 1.0, seed=1)[0]
        return Spoken(hiss, 16000, (Phone("s", 0.0, 1.0),), "arpabet")

    monkeypatch.setitem(ENGINES, "flite", SimpleNamespace(speak=speak, packages=ENGINES["flite"].packages))


def test_missing_voices_are_told(config: Path, only_flite: None):
    missing = synthesize.missing_voices(list(plan(read_plan(config), 1)))
    assert set(missing) == {("festival", "kal_diphone"), ("festival", "czech_ph")}
    assert "festvox-czech-ph" in missing["festival", "czech_ph"]


def test_strictly_a_missing_voice_ends_it_before_anything_is_made(config: Path, only_flite: None, tmp_path: Path):
    sentence = (
        "2 of 3 voices cannot speak here; install the Debian packages festival festvox-czech-ph festvox-kallpc16k,"
    )
    with pytest.raises(EngineError, match=sentence):
        run("synthesize", tmp_path / "corpus", "--config", config, "--strict")
    assert not (tmp_path / "corpus").exists()


def test_strictly_no_voice_at_all_names_all_packages(config: Path, bare: None, tmp_path: Path, capsys):
    assert main(["synthesize", str(tmp_path / "corpus"), "--config", str(config), "--strict"]) == 2
    said = capsys.readouterr().err
    assert "3 of 3 voices" in said and "festival festvox-czech-ph festvox-kallpc16k flite," in said
    assert len(said.splitlines()) == 1 and not (tmp_path / "corpus").exists()


def test_the_default_model_is_made_of_all_voices_or_not_at_all():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "backend synthesize $(MODEL)/corpus --strict" in makefile


@pytest.mark.parametrize("config", ["corpus", "heldout"])
def test_the_page_on_training_names_every_package(config: str):
    page = (ROOT / "docs" / "training_default.md").read_text(encoding="utf-8")
    prompts = [prompt for _, prompt in plan(read_plan(commands.CONFIGS / f"{config}.toml"), 1)]
    packages = {package for prompt in prompts for package in ENGINES[prompt.engine].packages(prompt.voice)}
    assert not [package for package in packages if not re.search(rf"{package}(?![\w-])", page)]
