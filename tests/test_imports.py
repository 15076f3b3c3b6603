# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the rooms of the house and the doors between them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "transformers", "soundfile", "soxr", "safetensors", "tqdm", "matplotlib"}


def python_files(room: str) -> list[Path]:
    target = ROOT / room
    return [target] if target.suffix == ".py" else sorted(target.rglob("*.py"))


def absolute(node: ast.ImportFrom, file: Path) -> str:
    """The dotted name that a possibly relative ``from … import`` looks in."""
    if not node.level:
        return node.module or ""
    package = file.relative_to(ROOT).parts[: -node.level]
    return ".".join((*package, *(node.module or "").split("."))).strip(".")


def imports(file: Path, *, only_at_import_time: bool = False) -> set[str]:
    """Every module that a file names in an import; a ``from x import y`` counts as ``x`` and ``x.y``."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = top_level(tree) if only_at_import_time else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = absolute(node, file)
            found.update({origin, *(f"{origin}.{alias.name}".lstrip(".") for alias in node.names)})
    return found


def top_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run when the module is imported; ``if TYPE_CHECKING`` does not run."""
    found: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            found.extend(node.orelse)
        else:
            found.append(node)
    return found


def inside(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


FORBIDDEN = [
    ("blender_addon", HEAVY),
    ("backend", {"bpy", "pickle", "blender_addon"}),
    ("backend/wire.py", HEAVY | {"backend"}),
    ("backend/identities.py", HEAVY | {"backend", "numpy"}),
    ("backend/protocol.py", HEAVY),
    (
        "backend/models",
        {"backend.training", "backend.server", "backend.checkpoint", "backend.pipeline", "backend.protocol"},
    ),
    ("backend/face.py", {"backend.models", "backend.training", "backend.server"}),
    ("backend/pipeline.py", {"backend.protocol", "backend.server", "backend.training"}),
    ("backend/animating.py", {"backend.protocol", "backend.server", "backend.training"}),
    ("backend/planning.py", {"backend.pipeline", "backend.protocol", "backend.server", "backend.training"}),
    ("backend/server.py", {"backend.models", "backend.training"}),
    ("backend/checkpoint.py", {"backend.training", "backend.server", "backend.protocol"}),
    ("backend/model_header.py", {"backend.training", "backend.server", "backend.protocol", "safetensors"}),
    ("backend/foreign", {"backend.training", "backend.server", "backend.pipeline", "backend.protocol"}),
    ("backend/training", {"backend.server", "backend.protocol"}),
    ("demo", {"backend.training"}),
]

ALLOWED = {
    ("backend/foreign/plain_pickle.py", "pickle"),
    ("demo/visemes.py", "backend.training.lips"),
    ("demo/visemes.py", "backend.training.lips.rules"),
}
"""FLAME and other data are published as pickles, and this one file reads them without running them. The picture of the
mouths that the default model is taught needs the rules that teach it."""


@pytest.mark.parametrize(("room", "banned"), FORBIDDEN, ids=[room for room, _ in FORBIDDEN])
def test_room_keeps_its_doors_shut(room: str, banned: set[str]):
    files = python_files(room)
    assert files
    broken = {(file.relative_to(ROOT).as_posix(), m) for file in files for m in imports(file) if inside(m, banned)}
    assert not broken - ALLOWED


def test_the_addon_knows_only_the_protocol_and_the_files_of_the_backend():
    """Files of motion only where it writes or reads one: they need numpy."""
    files = {"backend.protocol", "backend.motion_file", "backend.npz"}
    for file in python_files("blender_addon"):
        for loading, open_doors in ((True, {"backend.protocol"}), (False, files)):
            known = {m for m in imports(file, only_at_import_time=loading) if inside(m, {"backend"})} - {"backend"}
            assert not {m for m in known if not inside(m, open_doors)}, file


def test_the_protocol_knows_only_its_wire_format_and_how_identities_are_called():
    known = {module for module in imports(ROOT / "backend" / "protocol.py") if inside(module, {"backend"})} - {
        "backend"
    }
    assert not {m for m in known if not inside(m, {"backend.wire", "backend.identities"})}


def test_motion_files_need_no_more_than_blender_has():
    shared = {"backend.motion_file", "backend.npz", "backend.whole_file", "backend.face"}
    for name in shared:
        loaded = imports(ROOT / f"{name.replace('.', '/')}.py", only_at_import_time=True)
        found = {m for m in loaded if inside(m, HEAVY) or (inside(m, {"backend"}) and not inside(m, shared))}
        assert not found - {"backend"}, name


def test_nobody_but_the_command_line_imports_training():
    for file in python_files("backend"):
        relative = file.relative_to(ROOT / "backend")
        if relative.parts[0] == "training" or "__main__" in relative.name or relative.parts[0] == "commands":
            continue
        assert not {m for m in imports(file) if inside(m, {"backend.training"})}, file


def test_the_addon_imports_no_numpy_when_it_is_loaded():
    """Blender may carry no numpy at all, and a broken one must not keep the add-on from loading."""
    shared = [ROOT / "backend" / "protocol.py", ROOT / "backend" / "wire.py", ROOT / "__init__.py"]
    for file in [*python_files("blender_addon"), *shared]:
        loaded = imports(file, only_at_import_time=True)
        assert not {m for m in loaded if inside(m, {"numpy", "aud"})}, file


def test_only_compat_asks_for_the_version_of_blender():
    for file in python_files("blender_addon"):
        if file.name != "compat.py":
            assert "bpy.app.version" not in file.read_text(encoding="utf-8"), file


def test_packages_that_blender_imports_through_are_empty():
    assert (ROOT / "backend" / "__init__.py").read_text(encoding="utf-8") == ""


def test_one_version_number():
    import tomllib

    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["version"] == project["version"]
    assert f"## {manifest['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
