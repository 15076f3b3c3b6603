# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Backend for real, by its button: a true virtual environment, true pip, and a folder of tiny wheels."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import bpy
import pytest

NAMES = ("torch", "numpy", "transformers", "soundfile", "soxr", "safetensors", "tqdm")
FAKE_BACKEND = Path(__file__).with_name("fake_backend.py")

pytestmark = pytest.mark.slow


def make_wheel(folder: Path, name: str) -> Path:
    """A package of one empty module, as the wheel format wants it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def write_locks(folder: Path, hashes: dict[str, str]) -> None:
    lines = [f"{name}==1.0 --hash=sha256:{value}" for name, value in hashes.items()]
    (folder / "requirements.lock").write_text("\n".join(lines) + "\n")
    (folder / "torch.lock").write_text("torch==1.0\n")


@pytest.fixture
def user(addon, monkeypatch, tmp_path) -> Path:
    """The user's folder, with no network, a wheel folder chosen, and a backend that can answer."""
    folders = [tmp_path / name for name in ("my wheels", "locks", "it's a “user” ✗")]
    for folder in folders:
        folder.mkdir()
    wheels, locks, user = folders
    made = {name: hashlib.sha256(make_wheel(wheels, name).read_bytes()).hexdigest() for name in NAMES}
    write_locks(locks, {name: value for name, value in made.items() if name != "torch"})
    monkeypatch.delenv(addon.environment.VARIABLE, raising=False)
    monkeypatch.setattr(addon.preferences, "_user_folder", lambda: user)
    monkeypatch.setattr(addon.installer, "LOCKS", locks)
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", False)
    command = (sys.executable, str(FAKE_BACKEND), "clicks")
    monkeypatch.setattr(addon.environment, "serve_command", lambda _python, _extension: command)
    addon.preferences.chosen().wheels = str(wheels)
    yield user
    addon.preferences.chosen().wheels = ""


def works(python: Path) -> bool:
    return subprocess.run([python, "-I", "-c", f"import {', '.join(NAMES)}"], check=False).returncode == 0


def test_install_then_fail_then_cancel_then_remove(addon, user):
    folder = user / "env"
    bpy.ops.mouthpiece.install_backend()
    assert addon.session.current.ready, "Check Backend did not run by itself"
    assert addon.preferences.backend_python() == addon.environment.inside_environment(folder)
    assert works(addon.preferences.backend_python())
    assert addon.installer.is_current(folder, addon.installer.LOCKS)
    assert not (folder / "tmp").exists()

    write_locks(addon.installer.LOCKS, dict.fromkeys(NAMES[1:], "0" * 64))
    assert not addon.installer.is_current(folder, addon.installer.LOCKS), "another version's packages want a Repair"
    with pytest.raises(RuntimeError, match="checksum"):
        bpy.ops.mouthpiece.install_backend()
    assert works(addon.preferences.backend_python()), "a failed Repair has harmed what was there"

    now = addon.installation.current
    now.begin(addon.preferences.order(), user / "logs" / "cancelled.log")
    while now.stage != "Installing packages" and not now.step():
        time.sleep(0.01)
    now.cancel()
    while not now.step():
        time.sleep(0.01)
    assert isinstance(now.failure, addon.errors.Cancelled)
    assert works(addon.preferences.backend_python()), "a cancelled Repair has harmed what was there"

    bpy.ops.mouthpiece.remove_backend()
    assert sorted(path.name for path in user.iterdir()) == ["logs", "models"]
    assert not addon.preferences.is_python_set()


def test_wheel_that_is_missing_is_named(addon, user):
    next(Path(addon.preferences.chosen().wheels).glob("torch-*")).unlink()
    with pytest.raises(RuntimeError, match=r"has no torch==1\.0 for this system"):
        bpy.ops.mouthpiece.install_backend()
    assert [path.name for path in user.iterdir()] == ["logs"]
