# SPDX-License-Identifier: GPL-3.0-or-later
"""The sounds of speech: what phones there are, and how words are said."""
