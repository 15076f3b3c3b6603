# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny model, the sounds and the real servers of the backend's own tests."""

from tests.backend.conftest import (  # noqa: F401
    make_sound,
    models,
    own_client,
    request_for,
    serve_command,
    start_client,
    tiny,
)
