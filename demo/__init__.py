# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make demo` runs: a spoken line in, a talking head out; and the code that computes that head."""
