"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("PROTOZOO_REAL_DATA")
    if not folder:
        pytest.skip("PROTOZOO_REAL_DATA is not set")
    path = Path(folder)
    assert path.is_dir(), f"PROTOZOO_REAL_DATA names {folder}, which is no folder"
    return path.resolve()
