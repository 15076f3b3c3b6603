# SPDX-License-Identifier: GPL-3.0-or-later
"""Phone times against the waveform: what the manifests call a closure is a gap in the sound."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backend.audio import SAMPLE_RATE, decode
from backend.phonetics.phones import Phone, classes_of, closures_of
from backend.training.errors import EngineError
from backend.training.speech import espeak, festival, flite
from backend.training.speech.corpus import read_pairs
from backend.training.speech.spoken import Prompt
from backend.training.speech.stops import band_level, gap, snapped_closures, start_earlier

SPEECH = Path(__file__).parents[1] / "data" / "speech"
STEP = 0.002


def click_and_gap():
    """0.3 s of noise, silent from 0.14 to 0.18 s."""
    samples = np.random.default_rng(0).standard_normal(round(0.3 * SAMPLE_RATE)) * 0.1
    samples[round(0.14 * SAMPLE_RATE) : round(0.18 * SAMPLE_RATE)] = 0
    return samples


def test_gap_is_found_where_it_was_made():
    start, end = gap(band_level(click_and_gap(), SAMPLE_RATE), 0.1, 0.2)
    assert start == pytest.approx(0.14, abs=0.006)
    assert end == pytest.approx(0.18, abs=0.006)


def test_closures_of_p_and_b_move_to_the_gap_and_m_stays():
    phones = [Phone("aa", 0, 0.12), Phone("p", 0.12, 0.2), Phone("m", 0.2, 0.3)]
    snapped = snapped_closures(phones, band_level(click_and_gap(), SAMPLE_RATE), (0.0, 0.08))
    assert snapped[0] == pytest.approx((0.14, 0.18), abs=0.006)
    assert snapped[1] == closures_of(phones)[1]


def test_stops_start_earlier_but_leave_something_of_the_phone_before():
    phones = [Phone("a", 0, 0.1), Phone("p", 0.1, 0.15), Phone("s", 0.15, 0.17), Phone("tʃ", 0.17, 0.25)]
    moved = start_earlier(phones, 0.04)
    assert [phone.start for phone in moved] == pytest.approx([0, 0.06, 0.15, 0.165])
    assert all(a.end == b.start for a, b in pairwise(moved))


def test_a_stop_after_a_pause_keeps_its_start():
    phones = [Phone("sil", 0, 0.1), Phone("b", 0.1, 0.2)]
    assert start_earlier(phones, 0.04) == phones


def sound_minus_neighbours(samples, phones, closures):
    """How many decibels each p and b inside speech is below the loudest sound within 80 ms of it."""
    level = band_level(samples, SAMPLE_RATE)
    depths = []
    bilabials = [index for index, phone in enumerate(phones) if classes_of(phone.name)[:1] in (("pb",), ("m",))]
    for index, (start, end) in zip(bilabials, closures, strict=True):
        if classes_of(phones[index].name) == ("pb",) and phones[index - 1].name not in ("sil", "pau"):
            inside = level[round(start / STEP) : round(end / STEP) + 1].min()
            around = level[max(round((start - 0.08) / STEP), 0) : round((end + 0.08) / STEP)].max()
            depths.append(around - inside)
    return depths


def test_closures_of_the_held_out_sentences_are_gaps_in_the_sound():
    depths = []
    for path, recording in read_pairs(SPEECH):
        depths += sound_minus_neighbours(decode(path), recording.phones, recording.closures)
    assert len(depths) > 30
    assert np.mean(np.array(depths) > 6) > 0.9


LINES = {
    "en": (
        "A happy puppy is a popular pet.",
        "Bob grabbed a rubber bubble above the table.",
        "Maybe my mummy remembers me.",
    ),
    "it": (
        "Il papà di Paolo prepara il pepe e la pappa.",
        "Un abito bello, una barba e una bibita.",
        "La mia mamma ama il mare, i pomodori e la bambola.",
    ),
    "cs": (
        "Pepa a papoušek kopou po poli opilou lopatou.",
        "Babička má bobule, buben a rybu.",
        "Moje maminka má mapu a malé miminko, nebo bábovku.",
    ),
    "fi": (
        "Pappi potki palloa ja papukaija piipitti pihapuussa.",
        "Apina saapui pupun kopin päälle.",
        "Mummo ompeli omenamummon lempilammasta ja sampoa.",
    ),
}
VOICES = {
    "espeak": (espeak, "en-us+f3", "en"),
    "espeak, Italian": (espeak, "it+m3", "it"),
    "espeak, Czech": (espeak, "cs+f2", "cs"),
    "flite": (flite, "slt", "en"),
    "flite rms": (flite, "rms", "en"),
    "festival": (festival, "kal_diphone", "en"),
    "festival, Italian": (festival, "lp_diphone", "it"),
    "festival, Czech": (festival, "czech_dita", "cs"),
    "festival, Finnish": (festival, "suo_fi_lj_diphone", "fi"),
}


@pytest.mark.parametrize("name", VOICES)
def test_engines_mark_closures_where_the_sound_has_them(name):
    """Corrected times, before any snapping, agree with the gaps in the waveform."""
    module, voice, language = VOICES[name]
    errors, names = [], []
    for line in LINES[language]:
        try:
            spoken = module.speak(Prompt("", voice, language, line))
        except EngineError as error:
            pytest.skip(f"needs a speech engine from the system's packages: {error}")
        names += [phone.name for phone in spoken.phones]
        assert spoken.phones[0].start == 0
        assert spoken.phones[-1].end == pytest.approx(len(spoken.samples) / spoken.rate)
        assert all(a.end == b.start for a, b in pairwise(spoken.phones))
        level = band_level(spoken.samples, spoken.rate)
        heard = snapped_closures(spoken.phones, level, module.CLOSURE_SEARCH)
        for ruled, found in zip(closures_of(spoken.phones), heard, strict=True):
            errors.append(abs(sum(ruled) - sum(found)) / 2)
    assert names.count("m") >= 5
    assert sum(name in ("p", "b", "pː") for name in names) >= 14
    assert np.median(errors) < 0.030
    assert np.percentile(errors, 90) < 0.050


def test_a_missing_voice_is_named_with_its_package():
    try:
        espeak.speak(Prompt("espeak", "no-such-voice", "en", "Hello."))
    except EngineError as error:
        assert "espeak-ng" in str(error)
        assert "install" in str(error)
    else:
        pytest.fail("a voice that does not exist spoke")


def test_a_missing_engine_is_named_with_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for module in (flite, festival):
        voice = "slt" if module is flite else "kal_diphone"
        with pytest.raises(EngineError, match="install the package"):
            module.speak(Prompt("", voice, "en", "Hello."))
