# SPDX-License-Identifier: GPL-3.0-or-later
"""LibriSpeech and the Montreal Forced Aligner's TextGrids, in a small layout of our own, become a training set."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from training_commands import run

from backend import phone_file
from backend.__main__ import main
from backend.audio import decode
from backend.phone_track import TimedPhone
from backend.phonetics.phones import Phone, closures_of
from backend.training.errors import CorpusError
from backend.training.lips.prepare import COPY, SHUT, read_clips
from backend.training.speech import corpus, layouts, librispeech, text_grid
from backend.training.speech.corpus import Recording
from backend.training.speech.text_grid import Interval

SPEECH = Path(__file__).parents[1] / "data" / "speech"
CHAPTER = Path("train-clean-100") / "19" / "198"
SENTENCES = {
    "19-198-0000": "flite_kal16_popcorn",
    "19-198-0001": "flite_rms_patch",
    "19-198-0002": "flite_slt_exam",
}
PAUSES = ("", "sil", "sp")
VOWELS = "aeiou"

Tiers = dict[str, list[Interval]]


def told(name: str) -> dict:
    """What is known of one of our recordings."""
    return json.loads((SPEECH / f"{name}.json").read_text(encoding="utf-8"))


def aligned(name: str) -> Tiers:
    """The tiers that the aligner would write: stress on the vowels, three names for a pause."""
    rows, text = told(name)["phones"], told(name)["text"]
    phones = [Interval(label(phone, number), start, end) for number, (phone, start, end) in enumerate(rows)]
    return {"words": [Interval(text.lower(), 0.0, rows[-1][2])], "phones": phones}


def label(phone: str, number: int) -> str:
    if phone in ("sil", "pau"):
        return PAUSES[number % len(PAUSES)]
    return f"{phone.upper()}1" if phone[0] in VOWELS else phone.upper()


def grid(tiers: Tiers, form: str = "long") -> str:
    """The tiers as Praat saves them, in the long or the short form."""
    end = max((interval.end for tier in tiers.values() for interval in tier), default=1.0)
    lines = [f'File type = "ooTextFile{" short" * (form == "short")}"', 'Object class = "TextGrid"', ""]
    lines += ["xmin = 0", f"xmax = {end}", "tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers.items(), 1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
        lines += ["        xmin = 0", f"        xmax = {end}", f"        intervals: size = {len(intervals)}"]
        for index, (text, start, stop) in enumerate(intervals, 1):
            lines += [f"        intervals [{index}]:", f"            xmin = {start}", f"            xmax = {stop}"]
            lines.append(f'            text = "{text.replace(chr(34), chr(34) * 2)}"')
    return "\n".join(lines if form == "long" else shortened(lines)) + "\n"


def shortened(lines: list[str]) -> list[str]:
    """Only the values, as in Praat's short form; the first two lines stay."""
    values = [line.split(" = ", 1)[-1].replace("tiers? ", "").strip() for line in lines[2:] if not line.endswith(":")]
    return [*lines[:2], *values]


def librispeech_in(root: Path, grids: Path | None = None) -> Path:
    """LibriSpeech with one chapter, and the TextGrids in the same folders of another root; none without one."""
    chapter = root / CHAPTER
    chapter.mkdir(parents=True)
    for name, ours in SENTENCES.items():
        samples, rate = soundfile.read(SPEECH / f"{ours}.flac")
        soundfile.write(chapter / f"{name}.flac", samples, rate)
        if grids is not None:
            (grids / CHAPTER).mkdir(parents=True, exist_ok=True)
            (grids / CHAPTER / f"{name}.TextGrid").write_text(grid(aligned(ours)), encoding="utf-8")
    lines = [f"{name} {told(ours)['text'].upper()}\n" for name, ours in SENTENCES.items()]
    (chapter / "19-198.trans.txt").write_text("".join(lines), encoding="utf-8")
    return root


@pytest.fixture
def folder(tmp_path) -> Path:
    """LibriSpeech with every TextGrid beside its sound."""
    return librispeech_in(tmp_path / "LibriSpeech", tmp_path / "LibriSpeech")


def grid_of(folder: Path, number: int = 0) -> Path:
    return folder / CHAPTER / f"19-198-{number:04d}.TextGrid"


def known(folder: Path) -> list[Recording]:
    recordings, left_out = layouts.read(folder)
    assert left_out == ""
    return recordings


def test_recordings_are_those_of_a_manifest(folder):
    recordings = known(folder)
    assert [Path(each.audio).stem for each in recordings] == list(SENTENCES)
    for each, ours in zip(recordings, SENTENCES.values(), strict=True):
        assert (folder / each.audio).is_file()
        assert (each.speaker, each.language) == ("librispeech-19", "en")
        assert (each.source, each.licence) == ("LibriSpeech train-clean-100", "CC-BY-4.0")
        assert (each.alphabet, each.aligned) == ("arpabet", "forced")
        assert each.text == told(ours)["text"].lower()
        assert [phone.name for phone in each.phones] == [
            name.replace("pau", "sil") for name, *_ in told(ours)["phones"]
        ]
        assert [phone.end for phone in each.phones[:-1]] == [end for *_, end in told(ours)["phones"][:-1]]


def test_phones_tile_the_sound_and_closures_are_the_manifests(folder):
    for each in known(folder):
        assert each.phones[0].start == 0
        assert each.duration == len(decode(folder / each.audio)) / 16000
        assert each.phones[-1].end == pytest.approx(each.duration, abs=0.001)
        assert all(before.end == after.start for before, after in pairwise(each.phones))
        assert each.closures == corpus.rounded(closures_of(each.phones))
        assert len(each.closures) == len(each.closures_snap) == sum(phone.name in "pbm" for phone in each.phones) > 0


def test_closures_are_where_the_engine_closed_its_lips(folder):
    for each, ours in zip(known(folder), SENTENCES.values(), strict=True):
        middles = [(start + end) / 2 for start, end in each.shut()]
        assert middles == pytest.approx([(start + end) / 2 for start, end in told(ours)["closures"]], abs=0.03)


def test_a_manifest_of_them_reads_the_same(folder):
    recordings = known(folder)
    lines = "".join(f"{corpus.write_line(each)}\n" for each in recordings)
    (folder / corpus.MANIFEST).write_text(lines, encoding="utf-8")
    assert known(folder) == recordings


@pytest.mark.parametrize("place", ["LibriSpeech", "LibriSpeech/alignments/2020", "alignments"])
def test_text_grids_lie_beside_the_sounds_inside_the_folder_or_beside_it(tmp_path, place):
    found = known(librispeech_in(tmp_path / "LibriSpeech", tmp_path / place))
    assert len(found) == len(SENTENCES)


def test_the_text_grid_beside_its_sound_goes_first(folder):
    other = folder / "alignments" / grid_of(folder).name
    other.parent.mkdir()
    other.write_text(grid({"phones": [Interval("AA1", 0.0, 1.0)]}), encoding="utf-8")
    assert len(known(folder)[0].phones) > 2


def test_a_speakers_folder_is_enough(folder):
    (speaker,) = (folder / "train-clean-100").iterdir()
    recordings = known(speaker)
    assert {each.source for each in recordings} == {"LibriSpeech train-clean-100"}
    assert recordings[0].audio == "198/19-198-0000.flac"


def test_a_set_is_prepared_by_the_command(folder, tmp_path):
    grid_of(folder, 2).unlink()
    answer = run("prepare", folder, "--output", tmp_path / "set")
    counted, left_out = answer.splitlines()
    clips = read_clips(tmp_path / "set")
    assert counted == f"{len(clips)} recordings in {tmp_path / 'set'}"
    assert left_out == f"left out 1 of 3 utterances in {folder}: 1 without a .TextGrid"
    names = {clip.name for clip in clips if not clip.name.endswith(COPY)}
    assert names == {f"LibriSpeech/{CHAPTER.as_posix()}/19-198-000{number}.flac" for number in range(2)}
    lips = np.load(tmp_path / "set" / "lips.npy")
    for clip in clips:
        middles = [round((start + end) / 2 * 60) for start, end in clip.closures]
        assert np.mean(lips[clip.first_frame + np.array(middles)] == SHUT) > 0.8


def test_an_utterance_with_an_unknown_word_is_left_out(folder):
    tiers = aligned(SENTENCES["19-198-0000"])
    tiers["phones"][3] = tiers["phones"][3]._replace(text="spn")
    grid_of(folder).write_text(grid(tiers), encoding="utf-8")
    recordings, left_out = layouts.read(folder)
    assert len(recordings) == 2
    assert left_out.endswith(f"3 utterances in {folder}: 1 with a word that the aligner did not know (spn)")


def test_without_any_text_grid_the_command_says_where_they_go(tmp_path, capsys):
    folder = librispeech_in(tmp_path / "LibriSpeech")
    assert main(["prepare", str(folder), "--output", str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {folder} has no utterance to learn from (3 without a .TextGrid); put the")
    assert not (tmp_path / "set").exists()


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(CorpusError, match=r"no corpus; name a folder that holds a manifest\.jsonl.* or LibriSpeech"):
        layouts.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "it does not begin as one"),
        ("ooBinaryFile\x08TextGrid", "it does not begin as one"),
        (grid({"phones": [Interval("AA1", 0.0, 0.5)]})[:-20], "ends in the middle of a tier"),
        (grid({"phones": [Interval("AA1", 0.5, 0.4)]}), "0.5 to 0.4 s is no stretch"),
        (grid({"phones": [Interval("AA1", 0.0, 0.4), Interval("B", 0.2, 0.6)]}), "intervals overlap at 0.2 s"),
        (grid({"phones": [Interval("AA1", 0.0, 0.4)]}).replace("xmax = 0.4", "xmax = end"), "stands where a"),
        (grid({"phones": []}).replace("size = 0", "size = -1"), "-1 is no number of things"),
        (grid({"phones": []}).replace("size = 0", "size = 1e999"), "inf is no number of things"),
        (grid({"words": [Interval("ah", 0.0, 0.5)]}), "has no tier “phones”; it has words"),
        (grid({"phones": [Interval("AA1", 0.0, 0.4), Interval("QQ", 0.4, 0.6)]}), "the phone “QQ”"),
        (grid({"phones": [Interval("AA1", 0.0, 60.0)]}), r"lasts 60\.00 s, and 19-198-0000\.flac"),
    ],
)
def test_a_broken_text_grid_is_named(folder, content, sentence):
    grid_of(folder).write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"19-198-0000\.TextGrid .*{sentence}"):
        layouts.read(folder)


def test_a_text_grid_in_another_encoding_is_named(folder):
    grid_of(folder).write_bytes(grid({"phones": [Interval("é", 0.0, 0.5)]}).encode("latin-1"))
    with pytest.raises(CorpusError, match=r"19-198-0000\.TextGrid is no TextGrid that can be read: 'utf-8' codec"):
        layouts.read(folder)


def test_a_missing_sound_and_a_broken_transcript_are_named(folder):
    transcript = folder / CHAPTER / "19-198.trans.txt"
    grid_of(folder).with_suffix(".flac").unlink()
    with pytest.raises(CorpusError, match=r"19-198-0000\.flac does not exist"):
        layouts.read(folder)
    transcript.write_text("19-198-0000 ONE\n../../passwd TWO\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"trans\.txt line 2 is not SPEAKER-CHAPTER-NNNN"):
        layouts.read(folder)


def test_phones_in_ipa_are_known_as_such(folder):
    intervals = [Interval("", 0.0, 0.2), Interval("pʰ", 0.2, 0.3), Interval("aj", 0.3, 0.5), Interval("mʲ", 0.5, 0.6)]
    grid_of(folder).write_text(grid({"19 - words": [], "19 - phones": intervals}), encoding="utf-8")
    first = known(folder)[0]
    assert first.alphabet == "ipa"
    assert [phone.name for phone in first.phones] == ["sil", "pʰ", "aj", "mʲ", "sil"]
    assert len(first.closures) == len(first.closures_snap) == 2


def test_gaps_become_pauses_and_seams_do_not():
    intervals = [Interval("AA1", 0.1, 0.3), Interval("B", 0.3004, 0.4), Interval("IY0", 0.6, 1.02)]
    wanted = [("sil", 0.0, 0.1), ("aa", 0.1, 0.3), ("b", 0.3, 0.4), ("sil", 0.4, 0.6), ("iy", 0.6, 1.0)]
    assert librispeech._tiled(intervals, 1.0, "arpabet") == tuple(Phone(*row) for row in wanted)


@pytest.mark.parametrize("form", ["long", "short"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_both_forms_are_read_in_every_encoding(tmp_path, form, encoding):
    tiers = {"words": [Interval('he said "5 apples" ! 7 <exists>', 0.0, 1.5), Interval("", 1.5, 2.0)], "phones": []}
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""  # Praat marks the byte order, Python does not
    file = tmp_path / "a.TextGrid"
    file.write_bytes((mark + grid(tiers, form)).encode(encoding))
    assert text_grid.read(file) == tiers


def test_comments_and_tiers_of_points_are_passed_over(tmp_path):
    file = tmp_path / "a.TextGrid"
    points = (
        'class = "TextTier"\nname = "bell"\nxmin = 0\nxmax = 1\npoints: size = 1\npoints [1]:\nnumber = 0.5\nmark = "x"'
    )
    after = 'class = "IntervalTier"\nname = "phones"\n0\n1\n1\n0\n1\n"AA1"'
    header = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n! 3 "of" them\nxmin = 0 ! 4\nxmax = 1\ntiers? <exists>'
    )
    file.write_text(f"{header}\nsize = 2\nitem [1]:\n{points}\nitem [2]:\n{after}\n", encoding="utf-8")
    assert text_grid.read(file) == {"phones": [Interval("AA1", 0.0, 1.0)]}


def test_our_own_phone_tracks_are_read(tmp_path):
    track = [TimedPhone("sil", "sil", 0.0, 0.5), TimedPhone("m", "m", 0.5, 0.75), TimedPhone("aɪ", "AA", 0.75, 1.0)]
    phone_file.write(tmp_path / "ours.TextGrid", track)
    assert text_grid.read(tmp_path / "ours.TextGrid")["phones"] == [
        *(Interval("", 0.0, 0.5), Interval("m", 0.5, 0.75), Interval("aɪ", 0.75, 1.0)),
    ]


def test_a_folder_with_a_manifest_needs_nothing_else(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "both")
    (tmp_path / "both" / corpus.MANIFEST).touch()
    assert layouts.read(tmp_path / "both") == ([], "")
