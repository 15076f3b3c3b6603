# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads a model computes with in a container."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend import threads


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
    assert threads.processors(tmp_path) == share


@pytest.mark.parametrize(("limit", "chosen", "expected"), [("150000", "", 2), ("10000", "", 1), ("100000", "3", 3)])
def test_threads_are_no_more_than_that(
    limit: str, chosen: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    (tmp_path / "cpu.max").write_text(f"{limit} 100000", "ascii")
    monkeypatch.setattr(threads, "GROUP", tmp_path)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    try:
        torch.set_num_threads(3)
        threads.suit_machine()
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)
