"""What tests of the jobs' pages share."""

import pytest

from tests.factories import make_edward


@pytest.fixture
def edward(client):
    user = make_edward()
    client.force_login(user)
    return user
