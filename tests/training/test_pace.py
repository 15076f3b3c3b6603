# SPDX-License-Identifier: GPL-3.0-or-later
"""The trainer's pace, as `bench` shows it: batches are worth their while."""

from pathlib import Path

from backend.training.motion import pace


def test_batches_are_handled_several_times_as_fast_as_single_clips(tmp_path: Path) -> None:
    """Three times on a quiet machine (`bench`); here a little less will do, as neighbours share caches."""
    found = pace.measure(tmp_path, rounds=2)
    assert found.one_by_one > 0
    assert found.ratio > 2.3
