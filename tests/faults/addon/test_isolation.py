# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend runs its own code and nobody else's, and holds no file that Blender has open."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.faults.figures import held, linux

SECONDS = 300
MODULES = ("sitecustomize", "usercustomize", "torch", "numpy", "json", "backend", "soundfile")
VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONINSPECT", "PYTHONBREAKPOINT")


@pytest.fixture
def trap(tmp_path, monkeypatch) -> Path:
    """A folder to stand in, full of modules that leave a mark when they are imported, and every way to name it."""
    folder, mark = tmp_path / "trap", tmp_path / "ran"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write({name!r})\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in VARIABLES:
        monkeypatch.setenv(name, str(folder))
    return mark


@pytest.fixture
def ready(addon):
    """A real backend, as the add-on starts it, that is ready."""
    session = addon.session.Session()

    def start():
        session.start(addon.preferences.launch())
        until = time.monotonic() + SECONDS
        while session.busy and time.monotonic() < until:
            session.pump()
            time.sleep(0.01)
        assert session.state is addon.session.State.READY, session.message
        return session._backend._child.pid

    yield start
    session.close()


def test_no_code_from_the_folder_or_the_environment_is_run(trap, ready, record):
    ready()
    assert not trap.exists(), f"these were run: {trap.read_text(encoding='utf-8')}"
    ways = len(MODULES) + len(VARIABLES)
    record("code in the current folder, Python's variables", ways, "none of it was run")


@linux
def test_the_backend_holds_nothing_but_its_pipes_and_its_log(ready, tmp_path, record):
    """Not even a file that Blender has opened so that children inherit it."""
    with (tmp_path / "secret").open("wb") as secret:
        os.set_inheritable(secret.fileno(), True)
        links = held(ready()).keys()
    ours = held("self").keys()
    shared = {link for link in links & ours if not link.startswith(("pipe:", "/dev/"))}
    assert str(tmp_path / "secret") not in links
    assert not [link for link in links if link.startswith("socket:")]
    assert not shared, shared
    assert len({link for link in links & ours if link.startswith("pipe:")}) == 2, "its input and its output"
    record("files that Blender has open", 1, "the backend holds two pipes and its log, and no socket")
