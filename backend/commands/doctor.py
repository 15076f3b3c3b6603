# SPDX-License-Identifier: GPL-3.0-or-later
"""``doctor``: says whether the backend can work on this machine, and what to do where it cannot."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from backend import doctor

from . import terminal


def add_arguments(parser: ArgumentParser) -> None:
    terminal.add_device(parser)
    terminal.add_model_folders(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: Namespace) -> int:
    """Print every check; the exit code is 1 where one of them needs the user."""
    checks = doctor.examine(arguments.device, arguments.models)
    well = not any(check.remedy for check in checks)
    if arguments.json:
        terminal.say(json.dumps({"ok": well, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        for check in checks:
            terminal.say(f"{'NO' if check.remedy else 'ok'}  {check.name:<10} {check.found}")
            if check.remedy:
                terminal.say(f"    to do:     {check.remedy}")
    return 0 if well else 1
