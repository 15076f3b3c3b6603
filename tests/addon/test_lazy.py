# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that run late: when something is taken out of them, once, and from any thread."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED_LATER = (
    *("job", "placing", "session", "process", "rig.face", "writing.staging", "vertices.writing", "batch", "cli"),
    *("installer", "environment", "shelf", "writing.options", "performing.options", "vertices.options"),
)
ENABLED = f"""
import sys, tempfile, bpy
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from demo import extension
with tempfile.TemporaryDirectory() as folder:
    package = extension.enable(Path({str(ROOT)!r}), Path(folder))
    modules = {{name: sys.modules.get(f"{{package}}.blender_addon.{{name}}") for name in {NEEDED_LATER!r}}}
    ran = [name for name, module in modules.items() if module is not None and "__builtins__" in vars(module)]
    extension.disable()
print("ran", ran)
"""


@pytest.fixture
def package(addon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of modules that are deferred."""
    home = tmp_path / "latecomers"
    home.mkdir()
    (home / "__init__.py").write_text("")
    (home / "one.py").write_text(
        "import builtins, time\nbuiltins.ran.append(__name__)\ntime.sleep(0.1)\nfrom . import two\nvalue = 1\n"
    )
    (home / "two.py").write_text("from . import one\ndef sum_of(): return one.value + 1\n")
    (home / "broken.py").write_text("import builtins\nif not builtins.ran: raise ValueError('not yet')\nvalue = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.ran", [], raising=False)
    finders = list(sys.meta_path)
    addon.lazy.defer("latecomers")
    yield "latecomers"
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.startswith("latecomers")]:
        del sys.modules[name]


def ran() -> list[str]:
    import builtins

    return builtins.ran


def test_a_module_runs_when_something_is_taken_out_of_it_and_only_once(package: str) -> None:
    one = importlib.import_module(f"{package}.one")
    assert (ran(), one.__dict__.get("value"), one.__name__) == ([], None, f"{package}.one")
    assert one.value == 1 and one.two.sum_of() == 2
    assert ran() == [f"{package}.one"]
    with pytest.raises(AttributeError):
        one.nothing  # noqa: B018 (looking is what is tested)


def test_what_is_put_into_a_module_stays_when_it_runs(package: str) -> None:
    one = importlib.import_module(f"{package}.one")
    one.value = 7
    assert importlib.import_module(f"{package}.two").sum_of() == 8


def test_two_threads_wait_for_the_same_run(package: str) -> None:
    one, found = importlib.import_module(f"{package}.one"), []
    threads = [threading.Thread(target=lambda: found.append(one.value)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4 and len(ran()) == 1


def test_a_module_that_fails_can_be_tried_again(package: str) -> None:
    broken = importlib.import_module(f"{package}.broken")
    with pytest.raises(ValueError, match="not yet"):
        broken.value  # noqa: B018
    ran().append("")
    assert broken.value == 3


def test_blender_starts_without_what_is_needed_only_later() -> None:
    blender = bpy.app.binary_path
    command = [blender, "-b", "--factory-startup", "--python-expr"] if blender else [sys.executable, "-c"]
    done = subprocess.run([*command, ENABLED], capture_output=True, text=True, check=False)
    assert "ran []" in done.stdout.splitlines(), done.stderr
