# SPDX-License-Identifier: GPL-3.0-or-later
"""Full disks, closed folders and odd names, for everything that the add-on writes; and two Blenders at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.addon.stage import add_strip, curves_of, tone
from tests.faults.disk import full_disk
from tests.faults.figures import is_sentence, posix

ODD_FOLDERS = ("with spaces", 'it\'s "quoted"', "Ünïcödé ✗ 口型", "-dash", "$HOME;&|", "%s{0}", "longer " * 30)
CLIENT = Path(__file__).with_name("client.py")
pytestmark = posix


@pytest.fixture
def writers(addon) -> dict[str, Callable[[Path], object]]:
    """Everything of the add-on that writes one file by itself, by the ending of its name."""
    phones = [addon.phones.Phone("p", "pb", number / 10, (number + 1) / 10) for number in range(300)]
    profile = addon.rig.profile.load(addon.rig.profile.FOLDER / "arkit.json")
    return {
        ".pc2": lambda path: addon.vertices.point_cache.write(path, np.zeros((20, 50, 3), np.float32)),
        ".json": lambda path: addon.phones.write(path, phones),
        ".TextGrid": lambda path: addon.phones.write(path, phones),
        ".rig.json": lambda path: addon.rig.mapping.save(profile, path),
    }


def test_a_full_disk_keeps_the_old_file(addon, writers, tmp_path, record):
    for ending, write in writers.items():
        path = tmp_path / f"made{ending}"
        path.write_bytes(b"what was here before")
        for left in (0, 700):
            with full_disk(left), pytest.raises(addon.errors.MouthpieceError) as caught:
                write(path)
            assert is_sentence(str(caught.value))
        assert path.read_bytes() == b"what was here before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"made{ending}" for ending in writers)
    record("full disk, the files of the add-on", 2 * len(writers), "old file kept, one sentence")


def test_a_folder_that_cannot_be_written(addon, writers, record):
    """Among the kernel's own files not even the superuser can make one."""
    for ending, write in writers.items():
        with pytest.raises(addon.errors.MouthpieceError) as caught:
            write(Path("/proc/self/task") / f"made{ending}")
        assert is_sentence(str(caught.value))
    record("folder that cannot be written, the files of the add-on", len(writers), "one sentence")


def test_odd_names(writers, tmp_path, record):
    folders = [tmp_path / name for name in ODD_FOLDERS] + [tmp_path / "deep" / ("d" * 150) / ("e" * 150)]
    for folder in folders:
        folder.mkdir(parents=True)
        for ending, write in writers.items():
            longest = "n" * (255 - len(ending)) if folder is folders[-1] else f"{folder.name[:40]} name"
            write(folder / f"{longest}{ending}")
        assert len(list(folder.iterdir())) == len(writers)
    record("odd names and paths, the files of the add-on", len(folders) * len(writers), "written whole")


def test_sounds_in_odd_places_are_heard(addon, shot, scene, use_fake, tmp_path, record):
    """A strip whose file has such a path is generated like any other."""
    use_fake("clicks")
    for number, name in enumerate((*ODD_FOLDERS, f"{'d' * 150}/{'e' * 150}")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        add_strip(scene, tone(folder / "ä 'voice'.wav", 0.5, (0.25,)), f"odd {number}", channel=number + 2)
        assert bpy.ops.mouthpiece.generate() == {"FINISHED"}
    assert all(curves_of(action) for action in bpy.data.actions)
    record("sound strips in odd places", len(ODD_FOLDERS) + 1, "generated as any other")


def test_logs_that_cannot_be_written_are_one_sentence(addon, choice, tmp_path, record):
    """The folder of the logs is closed, or a file lies in its way."""
    (tmp_path / "file").write_bytes(b"")
    for log in (Path("/proc/self/task/logs/a.log"), tmp_path / "file" / "a.log"):
        launch = addon.environment.Launch((sys.executable, "-c", ""), log)
        with pytest.raises(addon.errors.MouthpieceError) as caught:
            addon.job.Generation(choice(), launch, addon.session.Session())
        assert is_sentence(str(caught.value))
    record("backend logs that cannot be written", 2, "one sentence")


def test_an_installation_without_a_place(addon, tmp_path, record):
    """*Install Backend* into a folder that cannot be written, and onto a full disk; the log of it may be lost, too."""
    installer = addon.installer
    for folder, left in ((Path("/proc/self/task/env"), 1 << 40), (tmp_path / "env", 0)):
        order = installer.Order(folder, installer.Build.CPU, tmp_path, installer.LOCKS)
        installing = addon.installation.Installation()
        with full_disk(left):
            installing.begin(order, tmp_path / "log.txt")
            while not installing.step():
                time.sleep(0.01)
        assert is_sentence(str(installing.failure)), installing.failure
        assert not list(tmp_path.glob("env*"))
    record("Install Backend in a closed folder, on a full disk", 2, "one sentence, nothing left")


def test_two_blenders_at_once(addon, long_enough, tmp_path, times, record):
    """The same file, open in two of them, generated in both at the same time: each gets its keys."""
    blend = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    command = [sys.executable, str(CLIENT), "Blender once", str(blend)]
    rounds = times(1, 4)
    for _ in range(rounds):
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = [process.communicate(timeout=300)[0].splitlines() for process in both]
        assert [process.returncode for process in both] == [0, 0]
        ends = [next(line for line in lines if line.startswith("> keys ")) for lines in told]
        assert ends[0] == ends[1] and int(ends[0].rpartition(" ")[2]) > 0
        assert os.listdir(tmp_path).count("shot.blend") == 1  # noqa: PTH208
    record("two Blenders at once", rounds, "both wrote the same keys")


@pytest.fixture
def long_enough(shot, scene, tmp_path) -> None:
    """A strip that takes a moment."""
    add_strip(scene, tone(tmp_path / "long.wav", 20.0, rate=16_000), "long", channel=2)
