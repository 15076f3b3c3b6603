# SPDX-License-Identifier: GPL-3.0-or-later
"""What identities are called: labels that people can read, and that everything takes as it takes the names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend import catalogue, checkpoint, identities, planning
from backend.__main__ import main
from backend.audio import SAMPLE_RATE
from backend.checkpoint import LoadedModel
from backend.planning import Request

ALICIA = "speakers/espeak-en-us+Alicia"


@pytest.fixture(scope="module")
def diffusion() -> LoadedModel:
    return checkpoint.load(catalogue.find("diffusion"))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (ALICIA, "Alicia (espeak, en-us)"),
        ("speakers/espeak-cmn-latn-pinyin+f5", "F5 (espeak, cmn-latn-pinyin)"),
        ("speakers/festival-kal_diphone", "Kal diphone (festival)"),
        ("speakers/flite-slt", "Slt (flite)"),
        ("vocaset/FaceTalk_170725_00137_TA", "FaceTalk_170725_00137_TA (vocaset)"),
        ("my clips/Anna-Lena", "Anna-Lena (my clips)"),
        ("D0/12", "D0/12"),
        ("smiling", "smiling"),
        ("", ""),
    ],
)
def test_a_label_says_who_speaks_and_where_the_voice_is_from(name: str, label: str):
    assert identities.label(name) == label


def test_labels_stand_in_the_order_of_the_alphabet_and_lead_back_to_the_names():
    names = ("D0/10", "s/espeak-en+zac", "D0/9", "s/espeak-en+Alex", "s/espeak-en+antonio")
    shown = identities.labels(names)
    assert list(shown) == ["Alex (espeak, en)", "Antonio (espeak, en)", "D0/9", "D0/10", "Zac (espeak, en)"]
    assert sorted(shown.values()) == sorted(names)


def test_two_that_would_be_called_the_same_keep_their_names():
    names = ("one/flite-slt", "two/flite-slt", "two/flite-rms")
    assert identities.labels(names) == {"one/flite-slt": names[0], "Rms (flite)": names[2], "two/flite-slt": names[1]}


def test_a_model_takes_the_name_the_label_and_the_row_and_remembers_the_name(diffusion: LoadedModel):
    row = diffusion.identities.index(ALICIA)
    for asked in (ALICIA, "Alicia (espeak, en-us)", str(row)):
        request = Request(identity=asked)
        assert planning.plan(diffusion, request).row == row
        assert planning.metadata(diffusion, request)["identity"] == ALICIA
    for asked in ("pivot", str(len(diffusion.identities))):
        assert planning.metadata(diffusion, Request(identity=asked))["identity"] == "pivot"


def test_a_stranger_is_told_the_labels(diffusion: LoadedModel):
    with pytest.raises(
        planning.RequestError, match=r"it has Alex \(espeak, en-us\), .* and pivot; or name a row, 0 to 23"
    ):
        planning.plan(diffusion, Request(identity="Alicia"))


def test_the_command_line_shows_labels_and_takes_what_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import soundfile

    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "Alex (espeak, en-us), Alicia (espeak, en-us)" in shown and "speakers/" not in shown
    assert main(["models", "--json"]) == 0
    assert ALICIA in next(m for m in json.loads(capsys.readouterr().out) if m["name"] == "diffusion")["identities"]
    sound = tmp_path / "talk.wav"
    soundfile.write(sound, np.zeros(SAMPLE_RATE // 2, np.float32), SAMPLE_RATE)
    asked = ("--model", "diffusion", "--identity", "Alicia (espeak, en-us)", "--output", str(tmp_path / "talk.json"))
    assert main(["generate", str(sound), *asked]) == 0
    made = json.loads((tmp_path / "talk.json").read_text(encoding="utf-8"))
    assert json.loads(made["metadata"])["identity"] == ALICIA
