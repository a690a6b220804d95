from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Leave English to whatever is tested next: a request sets the language of its thread."""
    with translation.override("en"):
        yield
