# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the miniature's results, in markdown: means over seeds with the deviation between seeds behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bench import ONE_SHOT, share_name
from .measure import Figures
from .plan import ALL, LEAVE_OUT, SCRATCH, SPEECH, UNIFIED, single, transfer, tuned
from .runs import Result
from .sets import SETS, SHARES, UNSEEN

BEGIN, END = "<!-- tables of `experiments` -->", "<!-- end of the tables -->"
Variants = Callable[[str], str]
"""The model that is measured on a data set, both by name."""
BLANK = "–"
METRICS = ("LVE", "LVD", "MVE", "UFVE", "EVE", "FDD")
ENCODERS = {LEAVE_OUT: "UniTalker's", SPEECH: "pretrained on phones", SCRATCH: "random numbers"}
ABLATIONS = {
    UNIFIED: "as the paper",
    "without-pca": "without PCA",
    "without-warm-up": "without decoder warm-up",
    "without-pivot": "without pivot identity",
    "transformer": "transformer decoder",
    "adaptor-2": "adaptor behind the motion decoder",
}
_STRANGERS = {"own": "their own identity", "pivot": "the pivot", "another": "somebody of another data set"}


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that is known."""

    by_variant: Mapping[str, Sequence[Result]]
    still: Mapping[str, Figures]
    """Figures of the mean motion, by data set."""

    @property
    def seeds(self) -> int:
        """How often most models were trained."""
        return max((len(found) for found in self.by_variant.values()), default=0)

    def figures(self, variant: str, name: str, metric: str) -> list[float]:
        """One figure of every seed."""
        return [run.figures[name][metric] for run in self.by_variant.get(variant, ())]

    def relative(self, variant_of: Variants) -> list[float]:
        """The mean over data sets of LVE as a share of what the mean motion has, for every seed that all have."""
        shares = [np.array(self.figures(variant_of(name), name, "LVE")) / self.still[name]["LVE"] for name in ALL]
        seeds = min(map(len, shares))
        return np.mean([each[:seeds] for each in shares], axis=0).tolist()


def gathered(runs: Sequence[Result], still: Mapping[str, Figures]) -> Results:
    """Results by variant."""
    by_variant: dict[str, list[Result]] = {}
    for run in runs:
        by_variant.setdefault(run.variant, []).append(run)
    return Results(by_variant, still)


def markdown(results: Results) -> str:
    """All tables, one below the other."""
    tables = (one_or_many, _all_metrics, _ablations, _strangers, _positions, _transfers, _one_shots, _cost)
    return "\n\n".join(table(results) for table in tables) + "\n"


def write(path: Path, text: str) -> None:
    """Put the tables between their marks in a document, or begin one with them."""
    block = f"{BEGIN}\n\n{text}\n{END}"
    old = path.read_text(encoding="utf-8") if path.is_file() else f"{BEGIN}{END}\n"
    before, _, rest = old.partition(BEGIN)
    path.write_text(f"{before}{block}{rest.partition(END)[2]}", encoding="utf-8")


def one_or_many(results: Results) -> str:
    """LVE of one model beside that of six, and of none."""
    still = (_scaled([results.still[name]["LVE"]], _unit(results, name)) for name in ALL)
    rows = [
        ["mean motion, held still", *still, "1", BLANK],
        _row(results, "a model for each data set", single, single),
        _row(results, "one model", _always(UNIFIED), single),
        _row(results, "one model, then tuned to each", tuned, single),
    ]
    return _table("One model against one for each data set", _headings(results), rows)


def _all_metrics(results: Results) -> str:
    rows = []
    for about in SETS:
        for title, variant in (("alone", single(about.name)), ("one model", UNIFIED), ("tuned", tuned(about.name))):
            values = [results.figures(variant, about.name, metric) for metric in METRICS]
            rows.append([f"{about.name} ({_length(about.unit)}), {title}", *map(_short, values)])
    return _table(
        "All figures, in each data set's unit (LVE and EVE in its square, FDD in its square)", ["", *METRICS], rows
    )


def _ablations(results: Results) -> str:
    rows = [_row(results, title, _always(name), _always(UNIFIED)) for name, title in ABLATIONS.items()]
    return _table("What the parts are good for", _headings(results), rows)


def _strangers(results: Results) -> str:
    rows = [
        [title, *(_plain(_as_stranger(results, variant, who)) for variant in (UNIFIED, "without-pivot"))]
        for who, title in _STRANGERS.items()
    ]
    return _table("Relative LVE by who speaks for everybody", ["", "with pivot identity", "without"], rows)


def _as_stranger(results: Results, variant: str, who: str) -> list[float]:
    if who == "own":
        return results.relative(_always(variant))
    return [
        float(np.mean([run.strangers[who][name]["LVE"] / results.still[name]["LVE"] for name in ALL]))
        for run in results.by_variant.get(variant, ())
    ]


def _positions(results: Results) -> str:
    behind = _always("wave-adaptor-1")
    rows = [
        _row(results, "behind it", behind, behind),
        _row(results, "in front of the transformer", _always("wave-adaptor-0"), behind),
    ]
    return _table("Where the frequency adaptor is, in an encoder with a transformer", _headings(results), rows)


def _transfers(results: Results) -> str:
    exponent = _unit(results, UNSEEN.name)
    shares = [share_name(fewer) for fewer in SHARES]
    rows = [
        [title, *(_scaled(results.figures(transfer(begin, share), UNSEEN.name, "LVE"), exponent) for share in shares)]
        for begin, title in ENCODERS.items()
    ]
    heading = ["encoder", *(f"{share} of the data" for share in shares)]
    seeds = len(results.by_variant.get(transfer(LEAVE_OUT, shares[-1]), ()))
    title = f"A new annotation ({UNSEEN.name}, LVE ×1e{exponent} {_length(UNSEEN.unit)}², seeds: {seeds})"
    return _table(title, heading, rows)


def _one_shots(results: Results) -> str:
    titles = {
        transfer(SPEECH, ONE_SHOT): "encoder pretrained on phones, all learns",
        transfer(LEAVE_OUT, ONE_SHOT): "UniTalker's encoder, all learns",
        f"decoder-to-{ONE_SHOT}": "UniTalker's encoder, only the decoder learns",
    }
    rows = [
        [title, *(_short(results.figures(variant, UNSEEN.name, metric)) for metric in ("LVE", "LVD"))]
        for variant, title in titles.items()
    ]
    seeds = len(results.by_variant.get(f"decoder-to-{ONE_SHOT}", ()))
    title = f"One sentence of {UNSEEN.name}, other sentences of its speaker (seeds: {seeds})"
    return _table(title, ["", "LVE", "LVD"], rows)


def _cost(results: Results) -> str:
    """How long it took."""
    runs = [run for found in results.by_variant.values() for run in found]
    minutes = sum(run.seconds for run in runs) / 60
    return f"{len(runs)} runs, {results.seeds} seeds, {minutes:.0f} minutes of computing on one core."


def _row(results: Results, title: str, variant_of: Variants, compared: Variants) -> list[str]:
    """LVE of every data set, the mean of their shares of a still face's, and how far that is from other models."""
    errors = [_scaled(results.figures(variant_of(name), name, "LVE"), _unit(results, name)) for name in ALL]
    own, others = results.relative(variant_of), results.relative(compared)
    changes = [100 * (one / other - 1) for one, other in zip(own, others, strict=False)]
    counted = title if len(own) in (0, results.seeds) else f"{title} (seeds: {len(own)})"
    return [counted, *errors, _plain(own), BLANK if own == others else _signed(changes)]


def _always(variant: str) -> Variants:
    """The same model for all data sets."""
    return lambda _: variant


def _headings(results: Results) -> list[str]:
    """Of tables of `_row`."""
    units = (f"{about.name} ×1e{_unit(results, about.name)} {_length(about.unit)}²" for about in SETS)
    return ["LVE", *units, "relative", "change, %"]


def _length(unit: str) -> str:
    return "mm" if unit == "mm" else "m"


def _unit(results: Results, name: str) -> int:
    """The power of ten that the errors of a data set are written in."""
    return int(np.floor(np.log10(results.still[name]["LVE"])))


def _scaled(values: Sequence[float], exponent: int) -> str:
    return _plain([value / 10.0**exponent for value in values])


def _plain(values: Sequence[float]) -> str:
    if not len(values):
        return BLANK
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _signed(values: Sequence[float]) -> str:
    """Per cent, with the deviation between seeds."""
    if not len(values):
        return BLANK
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):+.1f}{spread}"


def _short(values: Sequence[float]) -> str:
    if not len(values):
        return BLANK
    spread = f" ± {np.std(values, ddof=1):.1g}" if len(values) > 1 else ""
    return f"{np.mean(values):.3g}{spread}"


def _table(title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (heading, *rows)]
    ruler = "|---" + "|---:" * (len(heading) - 1) + "|"
    return "\n".join([f"**{title}**", "", lines[0], ruler, *lines[1:]])
