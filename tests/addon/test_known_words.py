# SPDX-License-Identifier: GPL-3.0-or-later
"""Words go to the backend as the artist has given them, and what it says of them comes back."""

from __future__ import annotations

import json
import sys

import bpy
import pytest

from tests.addon.stage import add_character, add_strip, tone


@pytest.fixture
def talk(scene, use_fake, tmp_path):
    """A strip of talk.wav with a character."""
    use_fake("phones")
    path = tone(tmp_path / "talk.wav", 2.0)
    add_strip(scene, path)
    add_character()
    return path


def generated(addon):
    assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    return addon.runner.current.report


def test_without_words_none_are_sent(talk, addon):
    assert generated(addon).warnings == ()


def test_a_typed_line_is_sent_with_its_language(talk, addon, scene):
    scene.mouthpiece_words.source, scene.mouthpiece_words.typed = "typed", " Papa, Mama! "
    scene.mouthpiece_words.language = "de"
    assert generated(addon).warnings == ("de: Papa, Mama!",)


def test_a_text_of_the_text_editor_is_sent_whole(talk, addon, scene):
    text = bpy.data.texts.new("line")
    text.write("My name is\nMouthpiece.")
    scene.mouthpiece_words.source, scene.mouthpiece_words.block = "block", text
    assert generated(addon).warnings == ("en: My name is\nMouthpiece.",)


def test_the_text_file_beside_the_sound_is_read(talk, addon, scene):
    scene.mouthpiece_words.source = "beside"
    assert generated(addon).warnings == ("There is no text file beside the sound, so its words are not known.",)
    talk.with_suffix(".txt").write_text("Grüß dich", encoding="utf-8")
    assert generated(addon).warnings == ("en: Grüß dich",)
    talk.with_suffix(".txt").write_bytes("Grüß dich".encode("latin-1"))
    with pytest.raises(RuntimeError, match="UTF-8"):
        bpy.ops.mouthpiece.generate()


@pytest.mark.parametrize("how", ["text", "file", "auto"])
def test_the_command_takes_words_and_saves_phones(talk, addon, tmp_path, capfd, how):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    talk.with_suffix(".txt").write_text("Hello there", encoding="utf-8")
    words = {"text": "Hello there", "file": str(tmp_path / "words"), "auto": "auto"}[how]
    (tmp_path / "words").write_text("Hello there", encoding="utf-8")
    out, phones = tmp_path / "out.blend", tmp_path / "phones.json"
    options = ["--transcript", words, "--language", "en-gb", "--phones", str(phones)]
    assert addon.cli.run(["generate", *options, "--output", str(out), "--json"]) == 0
    report = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert report["warnings"] == ["en-gb: Hello there"]
    assert [phone["name"] for phone in json.loads(phones.read_text(encoding="utf-8"))["phones"]][1:3] == ["p", "ɑː"]


WRITTEN = {
    "notes": "read",
    "notes.md": "read",
    "notes.TXT": "read",
    "folder": "folder",
    "Open notes.md": "Open notes.md",
    "gone.md": "gone.md",
    "Hello " * 900: "Hello " * 900,
}
"""What `--transcript` may be given, and what is meant; the same table as in tests/backend/test_known_words.py."""


@pytest.mark.parametrize("written", WRITTEN)
def test_a_file_that_is_there_is_read_whatever_its_name(written, addon, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("notes", "notes.md", "notes.TXT"):
        (tmp_path / name).write_text("read", encoding="utf-8")
    assert addon.transcripts.meant(written) == WRITTEN[written]
    with pytest.raises(addon.errors.BadInput, match=r"gone\.txt” cannot be read"):
        addon.transcripts.meant("gone.txt")


def test_the_command_names_a_transcript_that_is_not_there(talk, addon, tmp_path, capfd):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert addon.cli.run(["generate", "--transcript", str(tmp_path / "gone.txt")]) == 2
    assert "gone.txt" in capfd.readouterr().err


def test_the_dictionary_of_the_preferences_reaches_the_backend(addon, tmp_path, monkeypatch):
    chosen = addon.preferences.chosen()
    monkeypatch.setenv(addon.environment.VARIABLE, sys.executable)
    path = tmp_path / "own.dict"
    path.write_text("paper P EY1 P ER0\n", encoding="utf-8")
    chosen.dictionary = str(path)
    try:
        command = addon.preferences.launch().command
        assert command[command.index("--dictionary") + 1] == str(path)
    finally:
        chosen.dictionary = ""
