# SPDX-License-Identifier: GPL-3.0-or-later
"""A character with eight sliders of its own, animated, taught to the default model, and animated by it."""
