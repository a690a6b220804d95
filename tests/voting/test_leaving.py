"""Whoever leaves takes their words along; what they answered stays."""

import pytest

from protozoo.voting.leaving import volunteer_leave
from tests.factories import make_volunteer, make_vote

pytestmark = pytest.mark.django_db


def test_comments_go_and_answers_stay():
    leaver, other = make_volunteer(), make_volunteer()
    own = make_vote(volunteer=leaver, comment="I live in Gauting.", tags=["ring"])
    theirs = make_vote(volunteer=other, comment="A ring?")
    volunteer_leave(volunteer=leaver)
    own.refresh_from_db()
    theirs.refresh_from_db()
    assert (own.comment, own.tags) == ("", ["ring"])
    assert theirs.comment == "A ring?"
    assert own.superseded_at is None
