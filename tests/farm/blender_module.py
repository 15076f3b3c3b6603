# SPDX-License-Identifier: GPL-3.0-or-later
"""The bpy module behind Blender's command line: ``blender_module.py FOLDER -b -y [FILE] --command mouthpiece …``.

``FOLDER`` is for the extension's profile. Without ``--command``, FILE is made: the demo head and a strip of the sound
file that is named after it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "tests" / "real_blender")]

import bpy  # noqa: E402
import shot  # noqa: E402

from demo import extension  # noqa: E402

folder, *words = sys.argv[1:]
at = words.index("--command") if "--command" in words else len(words)
files = [Path(word) for word in words[:at] if not word.startswith("-")]
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
package = extension.enable(CHECKOUT, Path(folder))
code = 0
try:
    if at == len(words):
        shot.make(*files)
    else:
        if files:
            bpy.ops.wm.open_mainfile(filepath=str(files[0]))
        assert words[at + 1] == "mouthpiece"
        code = importlib.import_module(f"{package}.blender_addon.cli").run(words[at + 2 :])
finally:
    extension.disable()
sys.stdout.flush()
os._exit(code)  # the module has no business to do at its end, and older ones crash in it
