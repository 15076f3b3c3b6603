# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees and presses: properties, operators and panels, one subject a file. Nothing else imports it."""
