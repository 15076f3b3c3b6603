# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches ahead of time: the right ones in the right order, wherever they are put together."""

import os
import sys

import pytest
import torch

from backend.training.ahead import ahead, far_ahead
from backend.training.errors import CorpusError


@pytest.fixture(params=[ahead, far_ahead])
def ahead_of(request):
    return request.param


def test_each_step_gets_its_own_batch_after_a_jump_too(ahead_of):
    batch = ahead_of(lambda step: [torch.full((2,), float(step))])
    assert [batch(step)[0][0].item() for step in (0, 1, 2, 7, 8, 3)] == [0, 1, 2, 7, 8, 3]


def test_what_goes_wrong_with_a_batch_is_told_when_its_step_comes(ahead_of):
    def batch_of(step: int) -> int:
        if step == 2:
            raise CorpusError("the recording is gone")
        return step

    batch = ahead_of(batch_of)
    assert (batch(0), batch(1)) == (0, 1)
    with pytest.raises(CorpusError, match="the recording is gone"):
        batch(2)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process is forked for it")
def test_far_ahead_is_another_process():
    assert far_ahead(lambda _: os.getpid())(0) != os.getpid()
