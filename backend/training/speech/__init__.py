# SPDX-License-Identifier: GPL-3.0-or-later
"""Corpora of speech with known phones: spoken by free engines, or by people whose words are known."""
