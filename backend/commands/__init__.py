# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the command line, one module each.

A command is a module with ``add_arguments(parser)`` and ``run(arguments) -> exit code``. Its imports at the top are
light; what needs torch is imported in `run`, so that ``--help`` answers at once.
"""
