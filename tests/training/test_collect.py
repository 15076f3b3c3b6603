# SPDX-License-Identifier: GPL-3.0-or-later
"""From unpacked Debian packages to a corpus: what the packages say is spoken, and whether the sounds agree."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend import checkpoint
from backend.checkpoint import ModelCard
from backend.face import ARKIT_CHANNELS, arkit
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig
from backend.phonetics.phones import Phone
from backend.training.errors import CorpusError
from backend.training.speech import collect, corpus, packages
from backend.training.speech.collect import Aligned

SPEECH = Path(__file__).parents[1] / "data" / "speech"
STAMPS = Path("usr/share/tuxpaint/stamps/food")
GAME = Path("usr/share/games/fillets-ng")


def said(name: str) -> str:
    return json.loads((SPEECH / f"{name}.json").read_text(encoding="utf-8"))["text"]


def stamp(tree: Path, name: str, texts: dict[str, str], sounds: dict[str, str]) -> None:
    """A stamp with its names by language, and the sounds that say them by the end of their names."""
    folder = tree / STAMPS
    folder.mkdir(parents=True, exist_ok=True)
    lines = [texts["en"], *(f"{language}.utf8={text}" for language, text in texts.items() if language != "en")]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for ending, sound in sounds.items():
        shutil.copy(SPEECH / f"{sound}.flac", folder / f"{name}{ending}.ogg")


def level(tree: Path, script: str, sounds: dict[str, str]) -> None:
    """A level of the game with German dialogues."""
    folder, heard = tree / GAME / "script" / "keys", tree / GAME / "sound" / "keys" / "de"
    folder.mkdir(parents=True)
    heard.mkdir(parents=True)
    (folder / "dialogs_de.lua").write_text(script, encoding="utf-8")
    for name, sound in sounds.items():
        shutil.copy(SPEECH / f"{sound}.flac", heard / f"{name}.ogg")


@pytest.fixture
def tree(tmp_path) -> Path:
    german = said("espeak_de_f2_pflaumen")
    stamp(
        tmp_path,
        "corn",
        {"en": said("flite_kal16_popcorn"), "de": german, "it": said("espeak_it_m7_basilico")},
        {"_desc": "flite_kal16_popcorn", "_desc_de": "espeak_de_f2_pflaumen", "_desc_fr": "flite_rms_tune"},
    )
    level(
        tmp_path,
        f'dialogId("init-1", "font_big", "Plums.")\ndialogStr("{german}")\n\n'
        'dialogId("init-2", "font_small", "Number %1.")\ndialogStr(\n    "Nummer %1.")\n',
        {"init-1": "espeak_de_f2_pflaumen", "init-2": "flite_rms_tune", "noise": "flite_rms_tune"},
    )
    return tmp_path


def test_every_sound_whose_words_the_packages_know_is_found(tree):
    found = {one.sound.name: one for one in packages.find(tree)}
    assert sorted(found) == ["corn_desc.ogg", "corn_desc_de.ogg", "init-1.ogg"]
    assert found["corn_desc.ogg"].text == said("flite_kal16_popcorn")
    assert found["corn_desc_de.ogg"].language == "de"
    assert found["init-1.ogg"].text == said("espeak_de_f2_pflaumen")
    assert found["init-1.ogg"].speaker == "fillets-de-big"
    assert found["init-1.ogg"].licence.startswith("GPL-2")


def test_a_folder_without_packages_says_how_to_get_them(tmp_path):
    with pytest.raises(CorpusError, match="apt-get download tuxpaint-stamps-default"):
        packages.find(tmp_path)


def test_sounds_become_a_corpus_and_wrong_words_are_left_out(tree, tmp_path):
    stamp(tree, "wrong", {"en": said("espeak_en_m3_airmail")}, {"_desc": "flite_kal16_popcorn"})
    kept, left_out = collect.collect(packages.find(tree), tmp_path / "corpus", processes=1)
    assert (kept, left_out) == (3, 1)
    recordings = {recording.speaker: recording for recording in corpus.read(tmp_path / "corpus")}
    english = recordings["stamps-en"]
    assert english.text == said("flite_kal16_popcorn")
    assert english.phones[0].start == 0
    assert english.phones[-1].end == pytest.approx(english.duration, abs=0.01)
    begin = english.phones[0].end  # the recording was cut close to its first word
    wanted = json.loads((SPEECH / "flite_kal16_popcorn.json").read_text(encoding="utf-8"))
    offset = wanted["phones"][0][2] - begin
    middles = [(start + end) / 2 + offset for start, end in english.shut()]
    true_middles = [(start + end) / 2 for start, end in wanted["closures"]]
    assert middles == pytest.approx(true_middles, abs=0.05)


def test_without_espeak_ng_nothing_is_left_out_silently(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match="espeak-ng is not installed"):
        collect.collect(packages.find(tree), tmp_path / "corpus", processes=1)


def test_a_model_without_ears_is_refused(tree, tmp_path):
    deaf = tmp_path / "deaf.safetensors"
    heads = (HeadConfig("arkit", len(ARKIT_CHANNELS)),)
    model = UniTalker(UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 1, heads))
    checkpoint.save(deaf, model.eval(), [arkit(60.0)], (), ModelCard("deaf", "", "none"))
    with pytest.raises(CorpusError, match="hears no phones"):
        collect.collect(packages.find(tree), tmp_path / "corpus", 1, str(deaf))


def test_short_sounds_share_a_recording_without_moving_their_phones():
    def one(seconds: float) -> Aligned:
        samples = np.zeros(round(seconds * 16000), "float32")
        return Aligned(packages.Prompted(Path(), "", "", "", "", ""), samples, (Phone("m", 0.0, seconds),))

    groups = list(collect._groups([one(5.0), one(4.0), one(9.0), one(1.0)]))
    assert [len(group) for group in groups] == [2, 1, 1]
    assert collect._in_a_row(groups[0]) == (Phone("m", 0.0, 5.0), Phone("m", 5.0, 9.0))
