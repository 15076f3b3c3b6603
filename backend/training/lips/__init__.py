# SPDX-License-Identifier: GPL-3.0-or-later
"""The default model: motion by rules from phones, the data and the run that teach it, and how well its lips follow."""
