# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong by the user's doing while a model is made."""

from __future__ import annotations


class TrainingError(Exception):
    """One sentence for the user; the kinds below say where it came from."""


class ConfigError(TrainingError):
    """A training config cannot be used; the message names the entry."""


class CorpusError(TrainingError):
    """A corpus or a training set cannot be used; the message names the file."""


class EngineError(TrainingError):
    """A speech engine is missing or failed; the message says which package to install or which prompt it was."""


class RunError(TrainingError):
    """A run that began well cannot go on; the message says what is left of it."""
