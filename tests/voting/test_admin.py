"""Operators offer tags and look at what volunteers have said."""

import json

import pytest

from tests.factories import make_campaign, make_edward, make_vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def edward(client):
    client.force_login(make_edward())
    return client


@pytest.mark.parametrize(
    ("sent", "kept", "fault"),
    [
        (["Ring ", "x-shaped", "ring"], ["ring", "x-shaped"], ""),
        ([], [], ""),
        ({"ring": 1}, ["old"], "Give a list of words"),
        (["x" * 41], ["old"], "A tag has at most 40 characters"),
    ],
)
def test_suggested_tags_are_tidied_or_refused(edward, sent, kept, fault):
    campaign = make_campaign(suggested_tags=["old"])
    fields = {
        "title": campaign.title,
        "introduction": campaign.introduction,
        "share_gold": "0.03",
        "share_audit": "0.05",
        "share_chance": "0.05",
        "suggested_tags": json.dumps(sent),
    }
    answer = edward.post(f"/admin/voting/campaign/{campaign.pk}/change/", fields)
    campaign.refresh_from_db()
    assert campaign.suggested_tags == kept
    assert answer.status_code == (200 if fault else 302)
    assert fault in answer.content.decode()


def test_votes_are_listed_with_their_remarks(edward):
    item = make_campaign().items.all()[0]
    make_vote(item, is_strange=True, tags=["ring"], comment="What is this?")
    make_vote(item)
    text = edward.get("/admin/voting/vote/?is_strange__exact=1").content.decode()
    assert "What is this?" in text
    assert "1 vote" in text
    for kind in ("skip", "favourite"):
        assert edward.get(f"/admin/voting/{kind}/").status_code == 200
