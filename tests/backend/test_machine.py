# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process takes of its machine."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backend import machine

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "100000 0\n"}, None),
        ({}, None),
    ],
)
def test_what_a_container_may_take(files: dict[str, str], share: float | None, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "ascii")
    assert machine.processors(tmp_path) == share


@pytest.mark.parametrize(("limit", "chosen", "expected"), [("150000", "", 2), ("10000", "", 1), ("100000", "3", 3)])
def test_threads_are_no_more_than_that(
    limit: str, chosen: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    (tmp_path / "cpu.max").write_text(f"{limit} 100000", "ascii")
    monkeypatch.setattr(machine, "GROUP", tmp_path)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    try:
        torch.set_num_threads(3)
        machine.limit_threads()
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)


# The C library gives large arrays back at once until it has seen enough of them; told its own default, it always does.
PAGES = """
import ctypes, resource
import torch
from backend import checkpoint, machine
from backend.catalogue import SHIPPED

ctypes.CDLL(None).mallopt(-3, 128 << 10)  # M_MMAP_THRESHOLD, as a process begins with it
model = checkpoint.load(SHIPPED / "default.safetensors").model

def pages_fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        model(torch.zeros(1, 160000), "arkit", 600, torch.tensor([0]))
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
with torch.inference_mode():
    pages_fetched()
    each_time = pages_fetched()
    machine.keep_freed_memory()
    pages_fetched()
    print(each_time, pages_fetched())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be told")
def test_memory_is_fetched_once() -> None:
    ran = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True, cwd=ROOT)
    each_time, kept = map(int, ran.stdout.split())
    assert each_time > 1000
    assert kept < 0.2 * each_time
