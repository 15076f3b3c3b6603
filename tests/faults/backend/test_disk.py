# SPDX-License-Identifier: GPL-3.0-or-later
"""Full disks, folders that cannot be written, and odd names, for everything that the backend writes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend import checkpoint, motion_file, phone_file
from backend.__main__ import main
from backend.face import ARKIT_CHANNELS
from backend.foreign import flame_file, official_files
from backend.foreign.convert import ConvertError, convert
from backend.motion_file import Motion
from backend.phone_track import TimedPhone
from backend.training.motion import clip_writer, motion_set, principal_components
from tests.backend.conftest import babble, encoded
from tests.faults.backend.test_damaged_files import FLAME
from tests.faults.backend.victim import CASE
from tests.faults.disk import full_disk
from tests.faults.figures import is_sentence, posix

SENTENCES = (
    checkpoint.CheckpointError,
    ConvertError,
    flame_file.FlameFileError,
    motion_file.MotionFileError,
    phone_file.PhoneFileError,
)
ODD_FOLDERS = ("with spaces", 'it\'s "quoted"', "Ünïcödé ✗ 口型", "-dash", "$HOME;&|", "%s{0}", "longer " * 30)
MOTION = Motion(
    "arkit", 60.0, np.zeros((600, 52), np.float32) + np.arange(600, dtype=np.float32)[:, None] / 7, ARKIT_CHANNELS
)
PHONES = [TimedPhone("p", "pb", number / 10, (number + 1) / 10) for number in range(400)]


def a_basis() -> principal_components.PrincipalComponents:
    read = official_files._arrays(CASE / "pca" / "BIWI_23370_vertices.npz")["components_to_data"]
    rows = np.ascontiguousarray(read[:4])
    few = np.zeros(len(rows), np.float32)
    return principal_components.PrincipalComponents(rows, np.zeros(rows.shape[1], np.float32), few, few, few, few)


WRITERS: dict[str, Callable[[Path, checkpoint.LoadedModel], object]] = {
    ".npz": lambda path, _: motion_file.write(path, MOTION),
    ".csv": lambda path, _: motion_file.write(path, MOTION),
    ".json": lambda path, _: motion_file.write(path, MOTION),
    ".TextGrid": lambda path, _: phone_file.write(path, PHONES),
    ".phones.json": lambda path, _: phone_file.write(path, PHONES),
    ".safetensors": lambda path, tiny: checkpoint.save(
        path, tiny.model, list(tiny.spaces.values()), tiny.identities, tiny.info
    ),
    ".flame.npz": lambda path, _: flame_file.convert(FLAME, path),
    ".converted.safetensors": lambda path, _: convert(
        CASE / "checkpoint.pt", path, config=CASE / "config.json", pca=CASE / "pca"
    ),
    ".basis.npz": lambda path, _: principal_components.write(path, a_basis()),
    ".npy": lambda path, _: clip_writer.write_array(path, np.zeros(10_000)),
    ".txt": lambda path, _: motion_set.write_text(path, "clip\n" * 10_000),
}
"""Everything that writes one file, by the ending of its name."""


def unwritable(folder: Path) -> Path:
    """A folder that cannot be written; the superuser may write everywhere but among the kernel's own files."""
    if os.geteuid() == 0:
        return Path("/proc/self/task")
    folder.mkdir(mode=0o500)
    return folder


def refusal(write: Callable[[], object]) -> str:
    """What is said; tools of the training say it as OSError, whose sentence the command line makes."""
    with pytest.raises((*SENTENCES, OSError)) as caught:
        write()
    return str(caught.value)


@posix
def test_a_full_disk(tiny, tmp_path, record):
    """The old file stays as it was, the half-written one goes, and the reason is told."""
    tried = 0
    for ending, write in WRITERS.items():
        path = tmp_path / f"made{ending}"
        path.write_bytes(b"what was here before")
        for left in (0, 700):
            with full_disk(left):
                said = refusal(lambda write=write, path=path: write(path, tiny))
            assert is_sentence(said) or said.startswith("[Errno "), said
            assert "File too large" in said or "only a part" in said
            tried += 1
        assert path.read_bytes() == b"what was here before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"made{ending}" for ending in WRITERS)
    record("full disk, the files of the backend", tried, "old file kept, no half file, one sentence")


@posix
def test_a_folder_that_cannot_be_written(tiny, tmp_path, record):
    folder = unwritable(tmp_path / "closed")
    for ending, write in WRITERS.items():
        refusal(lambda write=write, ending=ending: write(folder / f"made{ending}", tiny))
    record("folder that cannot be written, the files of the backend", len(WRITERS), "one sentence")


def test_odd_names(tiny, tmp_path, record):
    """Spaces, quotes, letters of many alphabets, paths of over 300 letters, and names as long as a disk takes."""
    folders = [tmp_path / name for name in ODD_FOLDERS] + [tmp_path / "deep" / ("d" * 150) / ("e" * 150)]
    for folder in folders:
        folder.mkdir(parents=True)
        for ending, write in WRITERS.items():
            longest = "n" * (255 - len(ending)) if folder is folders[-1] else f"{folder.name[:40]} name"
            path = folder / f"{longest}{ending}"
            write(path, tiny)
            assert path.stat().st_size
        assert len(list(folder.iterdir())) == len(WRITERS)
    record("odd names and paths, the files of the backend", len(folders) * len(WRITERS), "written whole")


@posix
def test_the_command_line_on_odd_paths_and_full_disks(models, tmp_path, capsys, record):
    """Sound in, motion out, from and to such places; without room there is one line of error and no file."""
    tried = 0
    for name in (*ODD_FOLDERS, "d" * 200):
        folder = tmp_path / name / ("f" * 100)
        folder.mkdir(parents=True)
        sound, made = folder / f"{name[:60]} ä'\".wav", folder / f"{name[:60]}.csv"
        sound.write_bytes(encoded(babble(0.5)))
        words = ["generate", f"{folder}{os.sep}.{os.sep}{sound.name}", "--output", str(made), "--model", "tiny"]
        assert main([*words, "--models", str(models)]) == 0
        assert motion_file.read(made).values.shape == (30, 52)
        made.unlink()
        with full_disk(900):
            assert main([*words, "--models", str(models)]) == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("error: ") and is_sentence(last)
        assert [path.name for path in folder.iterdir()] == [sound.name]
        tried += 2
    record("generate from and to odd paths, with room and without", tried, "motion, or one line of error and no file")


@posix
def test_a_server_whose_log_cannot_be_written(serve_command, models, request_for):
    """Its log on a full disk costs it nothing but the log."""
    from backend import protocol

    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with Path("/dev/full").open("wb") as log:
        server = subprocess.Popen(
            serve_command("--models", str(models)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
    with server:
        protocol.write(server.stdin, request_for(1, model="nobody"))
        protocol.write(server.stdin, request_for(2))
        ends = []
        while len(ends) < 2:
            reply = protocol.read(server.stdout)
            if isinstance(reply, protocol.Finished | protocol.Failed):
                ends.append(type(reply))
        server.stdin.close()
        assert ends == [protocol.Failed, protocol.Finished]
        assert server.wait(60) == 0
