# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/reliability.md out of what the fault suite has measured: ``reliability.py FOLDER``.

Prints it as markdown, with ``--json`` as one JSON list; with ``--write PAGE`` it takes the place of the page's table.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: make faults -->", "<!-- end of figures -->"
FILES = (
    "test_frames",
    "test_answers",
    "test_damaged_files",
    "test_damaged_settings",
    "test_sudden_death",
    "test_memory",
    "test_many_jobs",
    "test_disk",
    "test_places",
    "test_security",
    "test_isolation",
)
"""The order of the table."""


def rows(folder: Path) -> list[dict[str, Any]]:
    """What was measured, one row a fault."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda row: FILES.index(Path(row["test"]).stem))


def table(found: list[dict[str, Any]]) -> str:
    """The rows in markdown."""
    lines = ["| fault | tried | what came of it | test |", "|---|---:|---|---|"]
    lines += [f"| {row['fault']} | {row['tried']:,} | {row['outcome']} | `{row['test']}` |" for row in found]
    return "\n".join(lines) + "\n"


def write(page: Path, text: str) -> None:
    """Put a table between the page's marks."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{text}{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `pytest --figures FOLDER` has written")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    arguments = parser.parse_args()
    found = rows(arguments.folder)
    if arguments.write:
        write(arguments.write, table(found))
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n" if arguments.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
