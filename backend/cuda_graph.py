# SPDX-License-Identifier: GPL-3.0-or-later
"""Records work of a CUDA device as CUDA graphs, which need no compiler."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UPS = 2
"""Runs before a recording, in which libraries set up what they may not set up within one."""


class Recorder:
    """A `replay.Record`. All its recordings share one pool of memory, so none may be kept waiting for another."""

    def __init__(self) -> None:
        # warm-up and recording on the same stream: libraries keep their working memory by stream
        self._stream, self._pool = torch.cuda.Stream(), torch.cuda.graph_pool_handle()

    def __call__(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """See `replay.Record`."""
        self._stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self._stream):  # the usual one comes back even where `graph` below ends in an error
            for _ in range(WARM_UPS):
                work()
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                answer = work()
        torch.cuda.current_stream().wait_stream(self._stream)

        def again() -> Tensor:
            graph.replay()
            return answer

        return again
