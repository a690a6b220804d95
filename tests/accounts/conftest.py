"""What tests of accounts share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def static_files(storage: Path, settings) -> None:
    """Serve static files out of a folder that exists, for WhiteNoise warns of any other."""
    settings.STATIC_ROOT = storage
