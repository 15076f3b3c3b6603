# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the transfer: the error on a new annotation against how much of its data there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .bench import share_name
from .plan import transfer
from .report import ENCODERS, Results
from .sets import SHARES, UNSEEN


def draw(results: Results, path: Path) -> None:
    """Write a .png with one curve for every encoder that a model began with. Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.4), layout="constrained")
    still = results.still[UNSEEN.name]["LVE"]
    for begin, title in reversed(ENCODERS.items()):
        found = [results.figures(transfer(begin, share_name(fewer)), UNSEEN.name, "LVE") for fewer in SHARES]
        means = np.array([np.mean(values) for values in found]) / still
        spreads = np.array([np.std(values, ddof=min(1, len(values) - 1)) for values in found]) / still
        axes.errorbar([1 / fewer for fewer in SHARES], means, spreads, marker="o", capsize=3, label=title)
    axes.set_xscale("log", base=2)
    axes.set_xticks([1 / fewer for fewer in SHARES], [share_name(fewer) for fewer in SHARES])
    axes.set_xlabel("share of the new data set to learn from")
    axes.set_ylabel("lip vertex error, share of a still face's")
    axes.margins(y=0.15)
    axes.grid(alpha=0.3)
    axes.legend(title="the encoder begins with", frameon=False)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
