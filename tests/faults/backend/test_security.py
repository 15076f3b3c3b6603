# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend opens no socket and no path out of a message, and none of our code runs what it reads."""

from __future__ import annotations

import ast
import ctypes
import json
import os
import shutil
import typing
from pathlib import Path

import pytest

from backend import protocol
from tests.backend.conftest import ROOT, Client, babble, encoded
from tests.faults.figures import held, is_sentence, linux

WATCHED = """\
import json, os, sys
sys.path.insert(0, sys.argv[1])
report = open(sys.argv[2], "a", buffering=1, encoding="utf-8")
def watch(event, details):
    if event.startswith(("socket.", "subprocess.")) or event in ("open", "os.listdir", "os.scandir", "ctypes.dlopen"):
        report.write(json.dumps([event, repr(details)]) + chr(10))
sys.addaudithook(watch)
from backend.__main__ import main
sys.exit(main(sys.argv[3:]))
"""
"""The server, with every file, program and socket that Python opens noted down."""
SECONDS = 300
MARK = "named-in-a-message"


@pytest.fixture
def watched(models, tmp_path, serve_command):
    """A server under watch, and what it has opened so far."""
    report = tmp_path / "report.jsonl"
    command = serve_command("--models", str(models), "--device", "cpu")
    place = next(number for number, word in enumerate(command) if "sys.exit(main" in word)
    command[place : place + 2] = [WATCHED, str(ROOT), str(report)]
    client = Client(command, {})
    client.next(SECONDS)
    yield client, lambda: [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    client.child.kill()
    client.child.wait()


def targets(folder: Path) -> list[str]:
    """What somebody might want to have opened: files that are there, under every kind of name."""
    folder = folder / MARK
    folder.mkdir()
    paths = [folder / name for name in ("a.safetensors", "a.npz", "a.wav", "voice", "a.txt")]
    for path in paths:
        path.write_bytes(b"x" * 100)
    model = paths[0].with_suffix("")
    upwards = f"../../../../../../{os.path.relpath(model, '/')}"
    return [*map(str, paths), str(model), upwards, paths[0].as_uri(), f"-{paths[3]}"]


class Opened:
    """Whether anybody opens a file in a folder, as Linux itself tells."""

    def __init__(self, folder: Path) -> None:
        library = ctypes.CDLL(None)
        self._handle = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert library.inotify_add_watch(self._handle, os.fsencode(folder), 0x20) >= 0  # IN_OPEN

    def anything(self) -> bool:
        try:
            return bool(os.read(self._handle, 4096))
        except BlockingIOError:
            return False


@linux
def test_no_socket_and_no_path_of_a_message_is_opened(watched, models, request_for, tmp_path, record):
    """Paths in every text of a request, and then a job that works: nothing of theirs is opened, by nobody's code."""
    client, opened = watched
    hints = typing.get_type_hints(protocol.Generate)
    texts, job, paths = [name for name, hint in hints.items() if hint is str], 0, targets(tmp_path)
    kernel = Opened(tmp_path / MARK)
    lists = [name for name, hint in hints.items() if hint == tuple[str, ...]]
    for path in paths:
        for name in (*texts, *lists):
            job += 1
            spoken = {"transcript": "hello"} if name == "language" else {}
            client.send(request_for(job, 0.5, **spoken | {name: (path,) if name in lists else path}))
            end = client.until_end(job, SECONDS)[-1]
            assert isinstance(end, protocol.Finished) or is_sentence(end.reason), end
    client.send(request_for(job + 1, 0.5))
    assert isinstance(client.until_end(job + 1, SECONDS)[-1], protocol.Finished)
    assert not kernel.anything()
    Path(paths[0]).read_bytes()
    assert kernel.anything(), "nothing was watched"
    events = opened()
    assert any(event == "os.scandir" and str(models) in details for event, details in events), "nothing was watched"
    assert not [(event, details) for event, details in events if MARK in details]
    assert not [(event, details) for event, details in events if event.startswith("socket.")]
    programs = [details for event, details in events if event == "subprocess.Popen"]
    assert all("espeak-ng" in details for details in programs), programs
    assert not [link for link in held(client.child.pid) if link.startswith("socket:")]
    record("paths in every text of a request", job, f"none opened; no socket among {len(events)} watched events")


@linux
def test_a_sound_that_names_files_opens_none(watched, request_for, tmp_path):
    """Playlists and film containers name other files; libsndfile is given bytes and nothing else."""
    client, opened = watched
    (tmp_path / MARK).write_bytes(encoded(babble(1.0)))
    path = str(tmp_path / MARK)
    for job, content in enumerate((f"#EXTM3U\n{path}\n", f"ffconcat version 1.0\nfile {path}\n", f"SDX:{path}"), 1):
        client.send(request_for(job, 0.5, sound=content.encode()))
        end = client.until_end(job, SECONDS)[-1]
        assert isinstance(end, protocol.Failed) and is_sentence(end.reason)
    assert not [details for _, details in opened() if MARK in details]


def test_the_client_alone_holds_the_pipes(own_client):
    """What the backend starts (espeak-ng) inherits neither of them; see `own_pipes`."""
    folder = Path(f"/proc/{own_client.child.pid}/fd")
    if not folder.exists():
        pytest.skip("this system does not tell which files a process has open")
    assert str((folder / "0").readlink()) == os.devnull
    pipes = {str((folder / str(number)).readlink()) for number in (1, 2)}
    streams = (own_client.child.stdin, own_client.child.stdout)
    ours = [str(Path(f"/proc/self/fd/{stream.fileno()}").readlink()) for stream in streams]
    assert not pipes & set(ours)
    numbers = held(own_client.child.pid)
    for pipe in ours:
        flags = Path(f"/proc/{own_client.child.pid}/fdinfo/{numbers[pipe]}").read_text(encoding="ascii")
        assert int(flags.split("flags:")[1].split()[0], 8) & os.O_CLOEXEC, "a child process would inherit it"


BANNED = {"eval", "exec", "__import__", "os.system", "os.popen", "marshal.loads", "pickle.loads", "pickle.load"}
FLAGS = {"shell": True, "allow_pickle": True, "weights_only": False}


@pytest.mark.parametrize("room", ["backend", "blender_addon"])
def test_nothing_that_is_read_is_run(room: str):
    """No eval, exec or shell, no pickle but the two readers that run nothing, and torch loads weights only."""
    for path in (ROOT / room).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in BANNED, (path, node.lineno)
                for keyword in node.keywords:
                    value = getattr(keyword.value, "value", None)
                    assert FLAGS.get(keyword.arg) is None or FLAGS[keyword.arg] is not value, (path, node.lineno)
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                allowed = {"plain_pickle.py": "pickle", "torch_file.py": "pickletools"}.get(path.name)
                assert not ({"pickle", "marshal", "shelve", "dill", "socket", "yaml"} & names) - {allowed}, path


def test_espeak_is_found_by_its_name_alone(tmp_path, monkeypatch):
    """The program is asked by its full path, so that no folder one happens to stand in can bring another."""
    from backend.phonetics import espeak

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    impostor = tmp_path / "espeak-ng"
    impostor.write_text("#!/bin/sh\ntouch ran\n", encoding="utf-8")
    impostor.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    found = espeak.program()
    assert Path(found).is_absolute() and Path(found) != impostor
    espeak.pronounce("hello", "en", found)
    assert not (tmp_path / "ran").exists()
