import pytest


@pytest.fixture(autouse=True)
def static_root(storage, settings) -> None:
    """Give WhiteNoise a folder that exists."""
    settings.STATIC_ROOT = storage
